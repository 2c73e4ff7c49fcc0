/** A camera on its way to a session (WHIP, RFC 9725). */

import { ask, bearing, SignstreamError } from "./request.js";

const GATHER_MS = 1000;
const CONNECT_MS = 15000;
const DISCONNECTED_MS = 2000;
/** A living server reports on the picture (RTCP, RFC 3550) at least this often. */
const SILENT_MS = 2000;
const LOOK_MS = 250;

/**
 * Publishes to a session, new or (with its secret) the same again.
 *
 * @throws {SignstreamError}
 */
export async function publish(server, query, stream, token = "", secret = "") {
  const [track] = stream.getVideoTracks();
  if (!track) throw new SignstreamError("The stream has no video.", "no-video");
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
    const shown = response.headers.get("Signstream-Secret");
    await peer.setRemoteDescription({ type: "answer", sdp: await response.text() });
    await connected(peer);
    return new PublishedCamera(server, token, resource, shown, stream, peer);
  } catch (error) {
    if (resource) await fetch(server + resource, { method: "DELETE", headers: bearing(token) }).catch(() => {});
    peer.close();
    throw error;
  }
}

class PublishedCamera {
  #server;
  #token;
  #resource;
  #secret;
  #stream;
  #peer;
  #doubted = new EventTarget();

  constructor(server, token, resource, secret, stream, peer) {
    this.id = resource.split("/").pop();
    this.#server = server;
    this.#token = token;
    this.#resource = resource;
    this.#secret = secret;
    this.#stream = stream;
    this.#peer = peer;
  }

  /** Another camera, or another setting of it, in the same session. */
  async replace(stream) {
    const [track] = stream.getVideoTracks();
    track.contentHint = "motion";
    await this.#peer.getSenders()[0].replaceTrack(track);
    this.#stream = stream;
  }

  /** Publishes again to the same session, at whichever server answers. */
  again() {
    return publish(this.#server, `?session=${this.id}`, this.#stream, this.#token, this.#secret);
  }

  /** Ends the session. */
  async stop() {
    // keepalive: it is sent even when the page goes away.
    const request = { method: "DELETE", headers: bearing(this.#token || this.#secret), keepalive: true };
    await fetch(this.#server + this.#resource, request).catch(() => {});
    this.#peer.close();
  }

  close() {
    this.#peer.close();
  }

  /** Somebody has seen that the server may be gone: look whether it still hears the picture. */
  doubt() {
    this.#doubted.dispatchEvent(new Event("doubt"));
  }

  /**
   * Resolves when the line is lost: at once when ICE has failed or the server has closed it (one that stops does),
   * after two seconds without an answer, or, when doubted, after two in which nothing was received.
   */
  lost() {
    const peer = this.#peer;
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
      this.#doubted.addEventListener("doubt", async () => { if (await silent(peer)) resolve(); });
      look();
    });
  }

  /**
   * What is sent now: `{ width, height, framesPerSecond, bitsSent, roundTripMs }`, each null where the browser does
   * not say.
   */
  async figures() {
    const found = { width: null, height: null, framesPerSecond: null, bitsSent: null, roundTripMs: null };
    for (const report of (await this.#peer.getStats()).values()) {
      if (report.type === "outbound-rtp" && report.kind === "video") {
        found.width = report.frameWidth ?? null;
        found.height = report.frameHeight ?? null;
        found.framesPerSecond = report.framesPerSecond ?? null;
        found.bitsSent = report.bytesSent * 8;
      }
      if (report.type === "candidate-pair" && report.nominated && report.currentRoundTripTime !== undefined) {
        found.roundTripMs = report.currentRoundTripTime * 1000;
      }
    }
    return found;
  }
}

/** Whether nothing at all comes from the server for as long as it never keeps silent. */
async function silent(peer) {
  const before = await received(peer);
  for (const began = Date.now(); Date.now() - began < SILENT_MS;) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    if (peer.connectionState === "closed" || (await received(peer)) !== before) return false;
  }
  return true;
}

async function received(peer) {
  let bytes = 0;
  for (const report of (await peer.getStats()).values()) {
    if (report.type === "transport") bytes += report.bytesReceived ?? 0;
  }
  return bytes;
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
 * When the line or the processor is weak: less of both resolution and frame rate. A fast hand is lost below
 * some 12 pictures a second, and fingers below some 300 lines, so neither may pay for the other alone.
 */
async function keepBoth(sender) {
  const parameters = sender.getParameters();
  parameters.degradationPreference = "balanced";
  await sender.setParameters(parameters).catch(() => {}); // Firefox before 2023 knows none
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
    const lost = () => reject(new SignstreamError("No connection for the picture could be made.", "no-path"));
    const timer = setTimeout(lost, CONNECT_MS);
    const look = () => {
      if (peer.connectionState === "connected") { clearTimeout(timer); resolve(); }
      if (peer.connectionState === "failed") { clearTimeout(timer); lost(); }
    };
    peer.addEventListener("connectionstatechange", look);
    look();
  });
}
