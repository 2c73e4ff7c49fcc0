/**
 * A small client for Signstream: publishes a camera (WHIP, RFC 9725) or a file, and hears what is recognised.
 *
 *   import { connect } from "/signstream.js";
 *   const session = await connect({
 *     stream: await navigator.mediaDevices.getUserMedia({ video: true }),
 *     models: ["asl-words"],
 *     onGloss: (gloss) => console.log(gloss.status, gloss.gloss, gloss.confidence),
 *     onState: (state, reason) => console.log(state, reason),
 *   });
 *   await session.stop();
 */

const SUBPROTOCOL = "signstream.v1+json";
const GATHER_MS = 1000;
const CONNECT_MS = 15000;
const RECONNECT_MS = [250, 500, 1000, 2000, 4000];
const OVER = new Set(["ended", "failed"]);

/** Something a person can be told; `status` is the server's HTTP status where there was one. */
export class SignstreamError extends Error {
  constructor(message, status = 0) {
    super(message);
    this.name = "SignstreamError";
    this.status = status;
  }
}

/**
 * Publishes and listens. Resolves once the camera is connected, or the file is taken.
 *
 * @param {object} options
 * @param {MediaStream} [options.stream] a camera's stream; its first video track is sent as it is
 * @param {Blob} [options.video] a video file instead
 * @param {string[]} [options.models] names of models; the server's default where none is given
 * @param {string} [options.server] origin of the server; this page's by default
 * @param {(event: object) => void} [options.onGloss] each gloss, `status` "partial" or "final"
 * @param {(state: string, reason: string) => void} [options.onState] "queued", "live", "degraded", "ended",
 *   "failed", and "reconnecting" while the events cannot be heard
 * @param {(time: number, points: Map<number, [number, number]>) => void} [options.onLandmarks] seconds of media
 *   time, and x, y in fractions of the picture by canonical row (0-542: face 0-467, left hand 468-488, pose
 *   489-521, right hand 522-542)
 * @returns {Promise<Session>}
 * @throws {SignstreamError}
 */
export async function connect(options) {
  const server = options.server ?? location.origin;
  const query = options.models?.length ? `?models=${options.models.map(encodeURIComponent).join(",")}` : "";
  const session = options.stream
    ? await publish(server, query, options.stream)
    : await upload(server, query, options.video);
  session.listen(options);
  return session;
}

class Session {
  #server;
  #peer;
  #resource;
  #sockets = new Set();
  #stopped = false;
  #over = false;
  #timers = new Set();

  constructor(server, id, peer = null, resource = "") {
    this.id = id;
    this.#server = server;
    this.#peer = peer;
    this.#resource = resource;
  }

  /** Ends the camera. Events go on until the session has ended; `close()` stops hearing them too. */
  async stop() {
    if (this.#stopped) return;
    this.#stopped = true;
    if (this.#resource) {
      // keepalive: it is sent even when the page goes away.
      await fetch(this.#server + this.#resource, { method: "DELETE", keepalive: true }).catch(() => {});
    }
    this.#peer?.close();
  }

  /** Stops hearing events. */
  close() {
    this.#over = true;
    this.#timers.forEach(clearTimeout);
    this.#sockets.forEach((socket) => socket.close());
  }

  listen({ onGloss, onState, onLandmarks }) {
    this.#hearEvents(onGloss ?? (() => {}), onState ?? (() => {}));
    if (onLandmarks) this.#hearLandmarks(onLandmarks);
    this.#peer?.addEventListener("connectionstatechange", () => {
      if (this.#peer.connectionState === "failed" && !this.#stopped) {
        this.#stopped = true;
        onState?.("failed", "The connection to the server was lost.");
      }
    });
  }

  #hearEvents(onGloss, onState) {
    let after = 0;
    this.#hear("events", () => `?after=${after}`, SUBPROTOCOL, (data) => {
      const event = JSON.parse(data);
      if (event.seq <= after) return;
      after = event.seq;
      if (event.type === "gloss") onGloss(event);
      if (event.type === "session") {
        onState(event.state, event.reason ?? "");
        if (OVER.has(event.state)) this.close();
      }
    }, onState);
  }

  #hearLandmarks(onLandmarks) {
    this.#hear("overlay", () => "", undefined, (data) => {
      const values = new Float32Array(data);
      const points = new Map();
      for (let at = 1; at + 2 < values.length; at += 3) points.set(values[at], [values[at + 1], values[at + 2]]);
      onLandmarks(values[0], points);
    });
  }

  /** A WebSocket that comes back until the session is over. */
  #hear(name, query, protocol, onMessage, onState = () => {}, attempt = 0) {
    if (this.#over) return;
    const url = `${this.#server.replace(/^http/, "ws")}/sessions/${this.id}/${name}${query()}`;
    const socket = protocol ? new WebSocket(url, protocol) : new WebSocket(url);
    socket.binaryType = "arraybuffer";
    let tries = attempt;
    socket.onopen = () => { tries = 0; };
    socket.onmessage = ({ data }) => onMessage(data);
    socket.onclose = () => {
      this.#sockets.delete(socket);
      if (this.#over) return;
      if (tries >= RECONNECT_MS.length) {
        onState("failed", "The server is not answering.");
        return;
      }
      if (tries > 0) onState("reconnecting", "The server is not answering; trying again.");
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        this.#hear(name, query, protocol, onMessage, onState, tries + 1);
      }, RECONNECT_MS[tries]);
      this.#timers.add(timer);
    };
    this.#sockets.add(socket);
  }
}

async function publish(server, query, stream) {
  const [track] = stream.getVideoTracks();
  if (!track) throw new SignstreamError("The stream has no video.");
  // Motion matters more than detail that stands still.
  track.contentHint = "motion";
  const peer = new RTCPeerConnection();
  try {
    const { sender } = peer.addTransceiver(track, { direction: "sendonly", streams: [stream] });
    await keepBoth(sender);
    await peer.setLocalDescription(await peer.createOffer());
    await gathered(peer);
    const response = await ask(server, `/whip${query}`, {
      method: "POST",
      headers: { "Content-Type": "application/sdp" },
      body: peer.localDescription.sdp,
    });
    const resource = response.headers.get("Location");
    const session = new Session(server, resource.split("/").pop(), peer, resource);
    await peer.setRemoteDescription({ type: "answer", sdp: await response.text() });
    try {
      await connected(peer);
    } catch (error) {
      await session.stop();
      throw error;
    }
    return session;
  } catch (error) {
    peer.close();
    throw error;
  }
}

/**
 * When the line or the processor is weak: less of both resolution and frame rate. A fast hand is lost below
 * some 12 pictures a second, and fingers below some 300 lines, so neither may pay for the other alone.
 */
async function keepBoth(sender) {
  const parameters = sender.getParameters();
  parameters.degradationPreference = "balanced";
  await sender.setParameters(parameters).catch(() => {}); // Firefox before 2023 knows none
}

async function upload(server, query, video) {
  const response = await ask(server, `/videos${query}`, { method: "POST", body: video });
  return new Session(server, (await response.json()).session);
}

async function ask(server, path, request) {
  let response;
  try {
    response = await fetch(server + path, request);
  } catch {
    throw new SignstreamError("The server cannot be reached. Is it running?");
  }
  if (response.ok) return response;
  const said = await response.json().then((body) => body.error, () => "");
  throw new SignstreamError(said || `The server answered ${response.status}.`, response.status);
}

function gathered(peer) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, GATHER_MS);
    const look = () => {
      if (peer.iceGatheringState !== "complete") return;
      clearTimeout(timer);
      resolve();
    };
    peer.addEventListener("icegatheringstatechange", look);
    look();
  });
}

function connected(peer) {
  return new Promise((resolve, reject) => {
    const lost = () => reject(new SignstreamError("No connection for the picture could be made."));
    const timer = setTimeout(lost, CONNECT_MS);
    const look = () => {
      if (peer.connectionState === "connected") { clearTimeout(timer); resolve(); }
      if (peer.connectionState === "failed") { clearTimeout(timer); lost(); }
    };
    peer.addEventListener("connectionstatechange", look);
    look();
  });
}
