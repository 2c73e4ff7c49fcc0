/** What the status line says of a session and of what goes wrong. */

import { SignstreamError } from "/signstream.js";
import { say, sayText, t } from "/shell/shell.js";

/** What went wrong here, in a sentence of strings.js: `key` and its `values`. */
export class SentenceError extends Error {
  constructor(key, values = {}) {
    super(key);
    this.key = key;
    this.values = values;
  }
}

/** States that the server explains further. */
const EXPLAINED = new Set(["queued", "degraded", "failed"]);

/** @param {string} name a session's state @param {string} [reason] the server's words */
export function saySession(name, reason) {
  const sentence = () => t(`session.${name}`);
  if (name === "ended" && reason) sayText(name, () => `${sentence()} (${reason})`);
  else sayText(name, () => (EXPLAINED.has(name) && reason ? `${sentence()} ${reason}` : sentence()));
}

/** @param {Error} error of `connect`, a SentenceError, or one nobody expected */
export function sayError(error) {
  if (error instanceof SentenceError) say("error", error.key, error.values);
  else if (error instanceof SignstreamError && error.code !== "refused") say("error", `server.${error.code}`);
  else if (error instanceof SignstreamError) sayText("error", () => error.message);
  else say("error", "server.wrong", { reason: error.message });
}
