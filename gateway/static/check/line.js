/** The camera's connection, gone step by step (WHIP, RFC 9725) so that each can be told from the next. */

import { bearing, token } from "/shell/shell.js";
import { failed, ok } from "./findings.js";

const GATHER_MS = 1000;
const CONNECT_MS = 10000;

export class Line {
  /** @param {RTCIceServer[]} servers */
  constructor(stream, servers) {
    this.peer = new RTCPeerConnection({ iceServers: servers });
    this.peer.addTransceiver(stream.getVideoTracks()[0], { direction: "sendonly", streams: [stream] });
    this.resource = "";
  }

  get session() {
    return this.resource.split("/").pop();
  }

  /** @returns {Promise<object>} the finding of "connection" */
  async open() {
    await this.peer.setLocalDescription(await this.peer.createOffer());
    await until(this.peer, "icegatheringstatechange", () => this.peer.iceGatheringState === "complete", GATHER_MS);
    let response;
    try {
      response = await fetch("/whip", {
        method: "POST",
        headers: { "Content-Type": "application/sdp", ...bearing() },
        body: this.peer.localDescription.sdp,
      });
    } catch {
      return failed("connection.gone");
    }
    if (!response.ok) {
      const reason = await response.json().then(({ error }) => error, () => response.statusText);
      return failed("connection.refused", { status: response.status, reason });
    }
    this.resource = response.headers.get("Location");
    await this.peer.setRemoteDescription({ type: "answer", sdp: await response.text() });
    const settled = () => ["connected", "failed"].includes(this.peer.connectionState);
    await until(this.peer, "connectionstatechange", settled, CONNECT_MS);
    if (this.peer.connectionState !== "connected") return failed("connection.blocked");
    return this.pair();
  }

  /** The pair of candidates the picture takes, and its round trip. */
  async pair() {
    const stats = await this.peer.getStats();
    const transport = [...stats.values()].find(({ type }) => type === "transport");
    const pair = stats.get(transport?.selectedCandidatePairId);
    if (!pair) return ok("connection.made");
    const [local, remote] = [stats.get(pair.localCandidateId), stats.get(pair.remoteCandidateId)];
    return ok("connection.pair", {
      local: local.candidateType,
      remote: remote.candidateType,
      address: `${remote.address ?? ""}:${remote.port}`,
      protocol: (local.relayProtocol ?? remote.protocol).toUpperCase(),
      ms: Math.round((pair.currentRoundTripTime ?? 0) * 1000),
    });
  }

  /** What this browser sends: counted since the beginning. */
  async sent() {
    const stats = await this.peer.getStats();
    return [...stats.values()].find(({ type, kind }) => type === "outbound-rtp" && kind === "video") ?? null;
  }

  socket(name, protocol) {
    const url = new URL(`${location.origin.replace(/^http/, "ws")}/sessions/${this.session}/${name}`);
    if (token) url.searchParams.set("access_token", token);
    const socket = protocol ? new WebSocket(url, protocol) : new WebSocket(url);
    socket.binaryType = "arraybuffer";
    return socket;
  }

  /** What the server says of the session. */
  async told() {
    const response = await fetch(`/sessions/${this.session}`, { headers: bearing(), cache: "no-store" });
    return response.ok ? response.json() : null;
  }

  async close() {
    if (this.resource) await fetch(this.resource, { method: "DELETE", headers: bearing(), keepalive: true }).catch(() => {});
    this.peer.close();
  }
}

/** Resolves when it holds, or the time is up. */
function until(target, event, holds, milliseconds) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    const look = () => {
      if (!holds()) return;
      clearTimeout(timer);
      target.removeEventListener(event, look);
      resolve();
    };
    target.addEventListener(event, look);
    look();
  });
}
