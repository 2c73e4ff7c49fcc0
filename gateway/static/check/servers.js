/** The server and what stands behind it: asked over HTTP, before there is a camera. */

import { failed, ok, skipped } from "./findings.js";

const ANSWER_MS = 5000;
const STAGES = ["keypoints", "recognizers"];

/** @returns {Promise<object>} findings of "server", "redis", "keypoints", "recognizers" by name */
export async function lookAtServer() {
  const began = performance.now();
  try {
    const response = await fetch("/healthz", { signal: AbortSignal.timeout(ANSWER_MS), cache: "no-store" });
    if (!response.ok) return { server: failed("server.odd", { status: response.status }) };
  } catch {
    return { server: failed("server.down", { origin: location.origin }) };
  }
  const server = ok("server.up", { ms: Math.round(performance.now() - began) });
  try {
    const response = await fetch("/readyz", { signal: AbortSignal.timeout(ANSWER_MS), cache: "no-store" });
    return { server, ...readiness((await response.json()).missing) };
  } catch {
    return { server: failed("server.down", { origin: location.origin }) };
  }
}

/** @param {string[]} missing what `/readyz` names: "Redis: why", "keypoints for the model NAME", … */
export function readiness(missing) {
  const redis = missing.find((part) => part.startsWith("Redis"));
  if (redis) {
    const unknown = Object.fromEntries(STAGES.map((stage) => [stage, skipped("stage.unknown")]));
    return { redis: failed("redis.down", { reason: redis }), ...unknown };
  }
  const found = { redis: ok("redis.up") };
  for (const stage of STAGES) {
    const models = missing
      .filter((part) => part.startsWith(`${stage} for the model `))
      .map((part) => part.slice(`${stage} for the model `.length));
    found[stage] = models.length ? failed(`${stage}.missing`, { models: models.join(", ") }) : ok(`${stage}.up`);
  }
  return found;
}
