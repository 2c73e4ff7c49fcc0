/** Which ways there are for the picture: ICE candidates of each type, and whether each TURN server gives a relay. */

import { failed, ok, skipped, warning } from "./findings.js";

const GATHER_MS = 3000;
const RELAY_MS = 6000;

/** STUN and TURN servers this server names (RFC 9725, section 4.6). */
export async function iceServers() {
  const response = await fetch("/whip", { method: "OPTIONS" });
  const links = response.headers.get("Link")?.split(/,\s*(?=<)/) ?? [];
  return links.filter((link) => link.includes('rel="ice-server"')).map((link) => ({
    urls: link.match(/<([^>]*)>/)[1],
    username: link.match(/username="([^"]*)"/)?.[1],
    credential: link.match(/credential="([^"]*)"/)?.[1],
  }));
}

/** @returns {Promise<object>} findings of "candidates" and "relay" */
export async function lookAtCandidates(servers) {
  const turns = servers.filter(({ urls }) => /^turns?:/.test(urls));
  const [all, ...relays] = await Promise.all([
    gathered({ iceServers: servers }, GATHER_MS, () => false),
    ...turns.map((server) =>
      gathered({ iceServers: [server], iceTransportPolicy: "relay" }, RELAY_MS, ({ type }) => type === "relay")),
  ]);
  return { candidates: ofTypes(all.types), relay: ofRelays(turns, relays) };
}

/** Gathers until it is done, the time is up, or a candidate is enough. */
async function gathered(configuration, milliseconds, enough) {
  const peer = new RTCPeerConnection(configuration);
  const types = { host: 0, srflx: 0, relay: 0 };
  const errors = [];
  try {
    peer.addTransceiver("video", { direction: "sendonly" });
    const done = new Promise((resolve) => {
      setTimeout(resolve, milliseconds);
      peer.onicecandidateerror = ({ url, errorCode, errorText }) => errors.push({ url, errorCode, errorText });
      peer.onicecandidate = ({ candidate }) => {
        if (!candidate?.candidate) {
          resolve();
          return;
        }
        if (candidate.type in types) types[candidate.type] += 1;
        if (enough(candidate)) resolve();
      };
    });
    await peer.setLocalDescription(await peer.createOffer());
    await done;
  } finally {
    peer.close();
  }
  return { types, errors };
}

function ofTypes(types) {
  if (!types.host && !types.srflx && !types.relay) return failed("candidates.none");
  return ok("candidates.some", types);
}

function ofRelays(turns, found) {
  if (!turns.length) return skipped("relay.none");
  const broken = turns
    .map(({ urls }, n) => ({ url: urls, ...found[n] }))
    .filter(({ types }) => !types.relay);
  if (!broken.length) return ok("relay.works", { count: turns.length });
  const [{ url, errors }] = broken;
  // 401 and its kin come from the server; 701 is the browser's own for "no answer" (W3C WebRTC, 4.8.3).
  const refusal = errors.find(({ errorCode }) => errorCode >= 300 && errorCode < 700);
  if (refusal) return failed("relay.refused", { url, code: `${refusal.errorCode} ${refusal.errorText}`.trim() });
  return broken.length < turns.length ? warning("relay.some", { url }) : failed("relay.unreachable", { url });
}
