/** Scores of the past, kept in this browser: the newest of each sign. Pure, but for `load` and `save`. */

import { keep, recall } from "/shell/shell.js";

const KEPT = "practice.scores";
const MOST = 20;

/** @returns {Object<string, number[]>} by "model/sign", the oldest first */
export function load() {
  try {
    const kept = JSON.parse(recall(KEPT, "{}"));
    return kept && typeof kept === "object" && !Array.isArray(kept) ? kept : {};
  } catch {
    return {};
  }
}

export function save(scores) {
  keep(KEPT, JSON.stringify(scores));
}

/** The scores with one more, and what it is beside those before: "first", "best", "better" or "worse". */
export function added(scores, model, sign, score) {
  const name = `${model}/${sign}`;
  const before = Array.isArray(scores[name]) ? scores[name].filter(Number.isFinite) : [];
  const best = Math.max(...before, -Infinity);
  const last = before.at(-1);
  let trend = "first";
  if (before.length) trend = score > best ? "best" : score > last ? "better" : "worse";
  return { scores: { ...scores, [name]: [...before, score].slice(-MOST) }, trend, last, best: Math.max(best, score) };
}
