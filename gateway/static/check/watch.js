/** Follows a session that is connected: what is sent, what arrives, and what comes back, until all of it is known. */

import { failed, ok, warning } from "./findings.js";

const LOOK_MS = 500;
/** Landmarks come within a second; a worker that has taken the session and has to warm up takes some. */
const LANDMARKS_MS = 8000;
const WARM_MS = 20000;
/** Models look at up to 2 s at once. */
const RECOGNITION_MS = 24000;
const PICTURE_MS = 8000;
/** For somebody to sign something, so that latencies are known. */
const SIGN_MS = 25000;

const SMALL = 300;
const SLOW = 12;

/**
 * @param {import("./line.js").Line} line
 * @param {(hop: string, finding: object) => void} find
 * @param {(latency: object) => void} onLatency
 */
export async function watch(line, find, onLatency) {
  const heard = { landmarks: 0, events: 0, state: "", latency: null };
  const sockets = listen(line, heard, onLatency);
  const began = performance.now();
  const open = new Set(["picture", "landmarks", "recognition", "events"]);
  const settle = (hop, finding) => {
    open.delete(hop);
    find(hop, finding);
  };
  try {
    while (open.size || (!heard.latency && performance.now() - began < SIGN_MS)) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      const passed = performance.now() - began;
      const [told, sent] = await Promise.all([line.told().catch(() => null), line.sent()]);
      if (!told && passed > PICTURE_MS) {
        find("server", failed("server.down", { origin: location.origin }));
        return;
      }
      lookAtPicture(told?.incoming, sent, passed, open, settle);
      if (open.has("landmarks")) {
        if (heard.landmarks > 2) settle("landmarks", ok("landmarks.come", { count: heard.landmarks }));
        else if (passed > (["live", "degraded"].includes(told?.state) ? WARM_MS : LANDMARKS_MS)) {
          settle("landmarks", failed("landmarks.none", { state: told?.state ?? "" }));
        }
      }
      if (open.has("recognition")) lookAtWindows(told, passed, settle);
      if (open.has("events")) {
        if (heard.events) settle("events", ok("events.come", { count: heard.events }));
        else if (passed > RECOGNITION_MS) settle("events", failed("events.none"));
      }
      // What fails here keeps the rest from ever coming.
      if (!open.has("landmarks") && !heard.landmarks && !open.has("picture")) return;
    }
  } finally {
    sockets.forEach((socket) => socket.close());
  }
}

function listen(line, heard, onLatency) {
  const overlay = line.socket("overlay");
  overlay.onmessage = () => { heard.landmarks += 1; };
  const events = line.socket("events", "signstream.v1+json");
  events.onmessage = ({ data }) => {
    const event = JSON.parse(data);
    heard.events += 1;
    if (event.type === "gloss") {
      heard.latency = event.latency_ms;
      onLatency(event.latency_ms);
    }
  };
  return [overlay, events];
}

function lookAtPicture(incoming, sent, passed, open, settle) {
  if (incoming?.frames_per_second && incoming.width) {
    const values = {
      width: incoming.width,
      height: incoming.height,
      fps: incoming.frames_per_second,
      kilobits: Math.round(incoming.bits_per_second / 1000),
      dropped: incoming.dropped,
      sent: sent?.frameWidth ? `${sent.frameWidth} × ${sent.frameHeight}` : "?",
      limit: sent?.qualityLimitationReason ?? "none",
    };
    const weak = Math.min(incoming.width, incoming.height) < SMALL || incoming.frames_per_second < SLOW;
    // The first look counts the seconds before the connection too.
    if (weak && passed < PICTURE_MS) return;
    settle("picture", weak ? warning("picture.weak", values) : ok("picture.comes", values));
  } else if (open.has("picture") && passed > PICTURE_MS) {
    settle("picture", failed(sent?.framesEncoded ? "picture.lost" : "picture.unsent", { frames: sent?.framesSent ?? 0 }));
  }
}

function lookAtWindows(told, passed, settle) {
  const counts = Object.entries(told?.windows ?? {}).filter(([, count]) => count > 0);
  if (told && counts.length === told.models.length) {
    settle("recognition", ok("recognition.works", { models: counts.map(([name]) => name).join(", ") }));
  } else if (passed > RECOGNITION_MS) {
    const silent = (told?.models ?? []).filter((name) => !counts.some(([answered]) => answered === name));
    settle("recognition", failed("recognition.none", { models: silent.join(", ") }));
  }
}
