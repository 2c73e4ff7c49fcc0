/** What is found of a step: a status, and sentences of strings.js by key. Pure. */

/** The picture's way, in its order. */
export const HOPS = [
  "server", "redis", "keypoints", "recognizers", "camera", "candidates", "relay", "connection", "picture", "landmarks",
  "recognition", "events",
];

export const ok = (key, values = {}) => ({ status: "ok", key, values });
export const skipped = (key, values = {}) => ({ status: "skipped", key, values });
export const warning = (key, values = {}) => ({ status: "warning", key, values, advice: `${key}.do` });
export const failed = (key, values = {}) => ({ status: "failed", key, values, advice: `${key}.do` });

/** The first step that failed: what comes after it may only follow from it. */
export function culprit(findings) {
  return HOPS.find((hop) => findings.get(hop)?.status === "failed") ?? null;
}
