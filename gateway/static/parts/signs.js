/** The models that run, and how their signs look: `/models`, `/models/{m}/examples/{label}`. */

/** What cannot be shown, as a key of strings.js. */
export class SignsError extends Error {}

/**
 * @returns {Promise<object[]>} as `/models` lists them, the default first
 * @throws {SignsError}
 */
export async function loadModels() {
  let response;
  try {
    response = await fetch("/models");
  } catch {
    throw new SignsError("server.unreachable");
  }
  if (!response.ok) throw new SignsError("server.unreachable");
  return (await response.json()).models;
}

const examples = new Map();

/**
 * How a sign looks; asked for once.
 *
 * @returns {Promise<{take: Take?, video: string}?>} `take` as practice/motion.js has it, x and y in the bundle's own
 *   unit, with `bounds` [left, top, right, bottom]; `video` its address, "" without one. Null where the bundle has
 *   neither.
 * @throws {SignsError}
 */
export function loadExample(model, label) {
  const address = `/models/${encodeURIComponent(model)}/examples/${encodeURIComponent(label)}`;
  if (!examples.has(address)) {
    const asked = ask(address);
    asked.catch(() => examples.delete(address));
    examples.set(address, asked);
  }
  return examples.get(address);
}

async function ask(address) {
  let response;
  try {
    response = await fetch(address);
  } catch {
    throw new SignsError("server.unreachable");
  }
  if (response.status === 404) return null;
  if (!response.ok) throw new SignsError("server.unreachable");
  const told = await response.json();
  return { take: told.frames ? takeOf(told) : null, video: told.video ? `${address}/video` : "" };
}

/** @param {{fps: number, rows: number[], bounds: number[], frames: (number[]?)[][]}} told */
export function takeOf({ fps, rows, bounds, frames }) {
  return {
    aspect: 1,
    bounds,
    times: frames.map((_, n) => n / fps),
    frames: frames.map((points) => new Map(points.flatMap((point, n) => (point ? [[rows[n], point]] : [])))),
  };
}

/** Signs whose name has all the words, those that begin with the first one first. */
export function searched(signs, query) {
  const words = query.toLowerCase().split(/[\s-]+/).filter(Boolean);
  const found = signs.filter((sign) => words.every((word) => sign.toLowerCase().includes(word)));
  const rank = (sign) => (words.length && sign.toLowerCase().startsWith(words[0]) ? 0 : 1);
  return found.toSorted((a, b) => rank(a) - rank(b) || a.localeCompare(b));
}
