/**
 * What somebody knows: each sign lies in one of five boxes (Leitner, 1972). A right answer moves it up, a wrong one
 * back to the first; the lower the box, the more often it is asked. Pure.
 *
 * Progress is `{[model]: {[sign]: {box, right, wrong}}}`.
 */

export const BOXES = 5;
const NEW = { box: 0, right: 0, wrong: 0 };

/** Of what was kept in the browser, which may be anything: only what can be used. */
export function readProgress(text) {
  let kept;
  try {
    kept = JSON.parse(text);
  } catch {
    return {};
  }
  const progress = {};
  for (const [model, signs] of entries(kept)) {
    for (const [sign, { box, right, wrong }] of entries(signs)) {
      if (![box, right, wrong].every((count) => Number.isInteger(count) && count >= 0)) continue;
      progress[model] = { ...progress[model], [sign]: { box: Math.min(box, BOXES - 1), right, wrong } };
    }
  }
  return progress;
}

function entries(value) {
  const usable = value && typeof value === "object" && !Array.isArray(value) ? Object.entries(value) : [];
  return usable.filter(([name, held]) => name !== "__proto__" && held && typeof held === "object");
}

export function knownOf(progress, model, sign) {
  return progress[model]?.[sign] ?? NEW;
}

/** The progress after an answer. */
export function answered(progress, model, sign, right) {
  const before = knownOf(progress, model, sign);
  const after = right
    ? { box: Math.min(before.box + 1, BOXES - 1), right: before.right + 1, wrong: before.wrong }
    : { box: 0, right: before.right, wrong: before.wrong + 1 };
  return { ...progress, [model]: { ...progress[model], [sign]: after } };
}

/** How often a sign is asked beside others: 16 times as often in the first box as in the last. */
export function weightOf({ box }) {
  return 2 ** (BOXES - 1 - box);
}

/**
 * The next question: a sign, and answers to choose from in a random order.
 *
 * @param {string[]} chosen signs that may be asked @param {string[]} signs all that may stand beside them
 * @param {string} last the one asked before, which is not asked again at once
 * @param {() => number} chance as Math.random
 */
export function question(chosen, signs, progress, model, last, chance = Math.random) {
  const asked = chosen.length > 1 ? chosen.filter((sign) => sign !== last) : chosen;
  const weights = asked.map((sign) => weightOf(knownOf(progress, model, sign)));
  let at = chance() * weights.reduce((sum, weight) => sum + weight, 0);
  const sign = asked[Math.max(0, weights.findIndex((weight) => (at -= weight) < 0))];
  const others = shuffled(signs.filter((other) => other !== sign), chance).slice(0, 3);
  return { sign, answers: shuffled([sign, ...others], chance) };
}

function shuffled(values, chance) {
  const mixed = [...values];
  for (let at = mixed.length - 1; at > 0; at -= 1) {
    const other = Math.floor(chance() * (at + 1));
    [mixed[at], mixed[other]] = [mixed[other], mixed[at]];
  }
  return mixed;
}
