/** The final glosses of a session, and what they can be kept as. Pure; the formats are those of the server. */

/** The same as the server's: a caption that flashes by is not read. */
const SHORTEST_CUE_SECONDS = 0.5;

/** `0:07`, `1:02:03`. */
export function clock(seconds) {
  const whole = Math.floor(Math.max(seconds, 0));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const rest = String(whole % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

function timestamp(seconds) {
  const ms = Math.round(Math.max(seconds, 0) * 1000);
  const part = (value, size = 2) => String(value).padStart(size, "0");
  const [hours, minutes] = [Math.floor(ms / 3600000), Math.floor(ms / 60000) % 60];
  return `${part(hours)}:${part(minutes)}:${part(Math.floor(ms / 1000) % 60)}.${part(ms % 1000, 3)}`;
}

const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", "\n": " " };

/** @param {object[]} glosses */
export function asText(glosses) {
  return `${glosses.map(({ gloss }) => gloss).join(" ")}\n`;
}

/** As `GET /sessions/{id}/transcript` answers. */
export function asJson(session, state, glosses) {
  const told = glosses.map(({ gloss, start, end, confidence, model }) => ({ gloss, start, end, confidence, model }));
  return `${JSON.stringify({ session, state, glosses: told }, null, 2)}\n`;
}

/** W3C WebVTT, one cue a gloss, by start time. */
export function asWebVtt(glosses) {
  const cues = [...glosses].sort((a, b) => a.start - b.start || a.end - b.end).map(({ gloss, start, end }) => {
    const until = Math.max(end, start + SHORTEST_CUE_SECONDS);
    return `${timestamp(start)} --> ${timestamp(until)}\n${gloss.replace(/[&<>\n]/g, (one) => ENTITIES[one])}\n`;
  });
  return ["WEBVTT\n", ...cues].join("\n");
}
