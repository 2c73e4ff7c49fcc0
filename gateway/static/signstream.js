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
const DISCONNECTED_MS = 2000;
const RECONNECT_MS = [250, 500, 1000, 2000, 4000];
/** A server ends a session whose camera has been away for 30 s. */
const AWAY_MS = 25000;
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
 * @param {string} [options.token] what a server with keys asks for; good for publishing (or uploading) and hearing
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
  let session;
  if (options.stream) {
    const camera = await publish(server, query, options.stream, options.token);
    session = new Session(server, camera.id, options.token, camera);
  } else {
    session = await upload(server, query, options.video, options.token);
  }
  session.listen(options);
  return session;
}

class Session {
  #server;
  #token;
  #camera;
  #sockets = new Set();
  #stopped = false;
  #over = false;
  #timers = new Set();
  /** What was last told of the session. */
  #told = ["queued", ""];
  /** What cannot be reached at the moment: "camera", "events". */
  #away = new Set();

  constructor(server, id, token = "", camera = null) {
    this.id = id;
    this.#server = server;
    this.#token = token;
    this.#camera = camera;
  }

  /** Ends the camera. Events go on until the session has ended; `close()` stops hearing them too. */
  async stop() {
    if (this.#stopped) return;
    this.#stopped = true;
    if (this.#camera) {
      // keepalive: it is sent even when the page goes away.
      const { resource, peer } = this.#camera;
      const headers = bearing(this.#token);
      await fetch(this.#server + resource, { method: "DELETE", headers, keepalive: true }).catch(() => {});
      peer.close();
    }
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
    if (this.#camera) this.#keepConnected(onState ?? (() => {}));
  }

  /** Publishes again to the same session, to whichever server answers, when the line has broken. */
  async #keepConnected(onState) {
    while (!this.#stopped) {
      await broken(this.#camera.peer);
      if (this.#stopped || this.#over) return;
      this.#isAway("camera", onState, "The connection was lost; trying again.");
      this.#camera.peer.close();
      const back = await this.#comeBack();
      if (this.#stopped || this.#over) {
        back?.peer.close();
        return;
      }
      if (!back) {
        this.#stopped = true;
        onState("failed", "The connection to the server was lost.");
        return;
      }
      this.#camera = back;
      this.#isBack("camera", onState);
    }
  }

  #isAway(what, onState, reason) {
    this.#away.add(what);
    onState("reconnecting", reason);
  }

  #isBack(what, onState) {
    if (this.#away.delete(what) && this.#away.size === 0) onState(...this.#told);
  }

  async #comeBack() {
    const { stream, secret } = this.#camera;
    const began = Date.now();
    for (let tries = 0; Date.now() - began < AWAY_MS; tries += 1) {
      try {
        return await publish(this.#server, `?session=${this.id}`, stream, this.#token, secret);
      } catch (error) {
        if (this.#stopped || this.#over || error.status === 409) return null;
      }
      await new Promise((resolve) => setTimeout(resolve, pauseBefore(tries)));
    }
    return null;
  }

  #hearEvents(onGloss, onState) {
    let after = 0;
    this.#hear("events", () => `?after=${after}`, SUBPROTOCOL, (data) => {
      const event = JSON.parse(data);
      if (event.seq <= after) return;
      after = event.seq;
      if (event.type === "gloss") onGloss(event);
      if (event.type === "session") {
        this.#told = [event.state, event.reason ?? ""];
        onState(...this.#told);
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
  #hear(name, query, protocol, onMessage, onState = () => {}, attempt = 0, since = Date.now()) {
    if (this.#over) return;
    const url = new URL(`${this.#server.replace(/^http/, "ws")}/sessions/${this.id}/${name}${query()}`);
    // A browser's WebSocket can send no header (RFC 6750, section 2.3).
    if (this.#token) url.searchParams.set("access_token", this.#token);
    const socket = protocol ? new WebSocket(url, protocol) : new WebSocket(url);
    socket.binaryType = "arraybuffer";
    let tries = attempt;
    let lost = since;
    let opened = false;
    socket.onopen = () => {
      opened = true;
      this.#isBack(name, onState);
    };
    socket.onmessage = ({ data }) => onMessage(data);
    socket.onclose = () => {
      this.#sockets.delete(socket);
      if (this.#over) return;
      if (opened) {
        tries = 0;
        lost = Date.now();
      }
      if (Date.now() - lost > AWAY_MS) {
        onState("failed", "The server is not answering.");
        return;
      }
      if (tries > 0) this.#isAway(name, onState, "The server is not answering; trying again.");
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        this.#hear(name, query, protocol, onMessage, onState, tries + 1, lost);
      }, pauseBefore(tries));
      this.#timers.add(timer);
    };
    this.#sockets.add(socket);
  }
}

/** A camera on its way to a session, new or (with its secret) the same again. */
async function publish(server, query, stream, token = "", secret = "") {
  const [track] = stream.getVideoTracks();
  if (!track) throw new SignstreamError("The stream has no video.");
  // Motion matters more than detail that stands still.
  track.contentHint = "motion";
  const peer = new RTCPeerConnection({ iceServers: await iceServers(server) });
  let resource = "";
  try {
    const { sender } = peer.addTransceiver(track, { direction: "sendonly", streams: [stream] });
    await keepBoth(sender);
    await peer.setLocalDescription(await peer.createOffer());
    await gathered(peer);
    const response = await ask(server, `/whip${query}`, {
      method: "POST",
      headers: {
        "Content-Type": "application/sdp",
        ...bearing(token || secret),
        ...(token && secret && { "Signstream-Secret": secret }),
      },
      body: peer.localDescription.sdp,
    });
    resource = response.headers.get("Location");
    secret = response.headers.get("Signstream-Secret");
    await peer.setRemoteDescription({ type: "answer", sdp: await response.text() });
    await connected(peer);
    return { id: resource.split("/").pop(), peer, resource, secret, stream };
  } catch (error) {
    if (resource) await fetch(server + resource, { method: "DELETE", headers: bearing(token) }).catch(() => {});
    peer.close();
    throw error;
  }
}

/** STUN and TURN servers this server names (RFC 9725, section 4.6): `<url>; rel="ice-server"; username=…`. */
async function iceServers(server) {
  const response = await fetch(`${server}/whip`, { method: "OPTIONS" }).catch(() => null);
  const links = response?.headers.get("Link")?.split(/,\s*(?=<)/) ?? [];
  return links.filter((link) => link.includes('rel="ice-server"')).map((link) => ({
    urls: link.match(/<([^>]*)>/)[1],
    username: link.match(/username="([^"]*)"/)?.[1],
    credential: link.match(/credential="([^"]*)"/)?.[1],
  }));
}

/**
 * Resolves when the line is lost: at once when ICE has failed or the server has closed it (one that stops does),
 * or after two seconds without an answer.
 */
function broken(peer) {
  return new Promise((resolve) => {
    let timer;
    const transport = peer.getSenders()[0]?.transport;
    const look = () => {
      clearTimeout(timer);
      const over = [peer.connectionState, transport?.state].some((state) => ["failed", "closed"].includes(state));
      if (over) resolve();
      else if (peer.connectionState === "disconnected") timer = setTimeout(resolve, DISCONNECTED_MS);
    };
    peer.addEventListener("connectionstatechange", look);
    transport?.addEventListener("statechange", look);
    look();
  });
}

/** Longer each time, and not the same for all whom one server sent away. */
function pauseBefore(tries) {
  return RECONNECT_MS[Math.min(tries, RECONNECT_MS.length - 1)] * (0.5 + Math.random());
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

async function upload(server, query, video, token) {
  const response = await ask(server, `/videos${query}`, { method: "POST", body: video, headers: bearing(token) });
  return new Session(server, (await response.json()).session, token);
}

function bearing(token) {
  return token ? { Authorization: `Bearer ${token}` } : {};
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
