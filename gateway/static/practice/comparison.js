/**
 * How an attempt at a sign differs from its example: in the hand's shape, its place, or its movement. Pure.
 *
 * Each part is measured so that the others do not touch it. The shape is compared in the hand's own frame, in
 * whichever direction of time fits better; the place is where the wrist is in the mean; the movement is the wrist's
 * way around that mean and its velocity. Differences are in units of what another person doing the same sign
 * differs by (TOLERANCES), so that they can be weighed against each other.
 */

import { mirrored, motionOf, resampled, takesPart } from "./motion.js";
import { warped } from "./warping.js";

const SAMPLES = 16;
const BAND = 5;

/**
 * What nine in ten takes of other recording sessions stay below, of the fifteen signs of `asl-words`, against the
 * mean of the rest: root mean square of joints in hand sizes, shoulder widths, and shoulder widths with half the
 * velocity (in shoulder widths a quarter of the sign).
 */
export const TOLERANCES = { shape: 0.36, place: 0.34, movement: 0.27 };

/** A part that differs by more than this is named: what a tenth of good takes reach is no mistake. */
const DIFFERS = 1.25;

/** A difference of 1, which good takes reach, still scores 74; one of 2 scores 31. */
const FORGIVEN = 1.3;

/** Where a hand that the sign needs was not seen. */
const UNSEEN = 4;

/** An attempt holds the sign somewhere between raising and lowering the hands, this long of the example's length. */
const LENGTHS = [0.6, 0.8, 1, 1.25, 1.6];
const STEP_SECONDS = 0.14;

/**
 * @param {Take} example
 * @param {Take} attempt with what comes before and after the sign
 * @returns {{score: number, parts: Object<string, {difference: number, score: number, differs: boolean}>,
 *   worst: string?, mirrored: boolean, from: number, to: number, unseen: boolean}?} `score` 0 to 100; `worst` names
 *   the part that differs most, null where none differs; `from` and `to` say which seconds were taken for the sign.
 *   `unseen`: none of the hands that the sign needs was there. There is no `place` where the example shows no body.
 *   Null where there is nothing to compare.
 */
export function compared(example, attempt) {
  if (example.frames.length < 2 || attempt.frames.length < 2) return null;
  const shown = motionOf(example);
  const seconds = example.times.at(-1) - example.times[0];
  const wanted = sidesOf(shown);
  if (!wanted.length) return null;
  const model = Object.fromEntries(wanted.map((side) => [side, described(shown[side])]));
  // Left-handed signers sign in the mirror.
  const tries = [false, true].map((flip) => {
    const motion = motionOf(flip ? mirrored(attempt) : attempt);
    return { flip, motion, best: bestStretch(model, shown.body, motion, attempt.times, seconds) };
  });
  const { best, flip, motion } = tries[1].best.cost < tries[0].best.cost ? tries[1] : tries[0];
  return { ...judged(best, flip), unseen: !wanted.some((side) => motion[side]) };
}

/** The hands the sign is made with: all that are seen in most pictures, at least the one seen most. */
function sidesOf(motion) {
  const sides = ["left", "right"].filter((side) => takesPart(motion[side]));
  if (sides.length) return sides;
  const seen = ["left", "right"].filter((side) => motion[side]);
  return seen.sort((a, b) => motion[b].share - motion[a].share).slice(0, 1);
}

function bestStretch(model, body, motion, times, seconds) {
  const whole = times.at(-1) - times[0];
  const lengths = LENGTHS.map((share) => Math.min(seconds * share, whole));
  let best = null;
  for (const length of new Set(lengths)) {
    for (let from = 0; from <= whole - length + 1e-6; from += STEP_SECONDS) {
      const ends = [from, from + length].map((at) => placeIn(times, times[0] + at));
      const differences = differenceOf(model, body, motion, ends);
      const cost = Object.values(differences).reduce((sum, value) => sum + value ** 2, 0);
      if (!best || cost < best.cost) best = { cost, differences, from: times[0] + from, to: times[0] + from + length };
    }
  }
  return best;
}

/** The (fractional) number of the picture at a time. */
function placeIn(times, time) {
  const after = times.findIndex((at) => at >= time);
  if (after < 0) return times.length - 1;
  if (after === 0) return 0;
  return after - (times[after] - time) / (times[after] - times[after - 1]);
}

/** Each part's difference, the mean over the hands, in units of TOLERANCES. */
function differenceOf(model, body, motion, ends) {
  const sides = Object.keys(model);
  const sum = body ? { shape: 0, place: 0, movement: 0 } : { shape: 0, movement: 0 };
  for (const side of sides) {
    const hand = motion[side];
    const parts = hand ? handDifference(model[side], described(hand, ...ends)) : null;
    for (const part of Object.keys(sum)) sum[part] += (parts?.[part] ?? UNSEEN) / sides.length;
  }
  return sum;
}

function handDifference(shown, done) {
  const laid = (a, b) => warped(SAMPLES, (i, j) => distance(a[i], b[j]), BAND) / Math.sqrt(20);
  const shape = Math.min(laid(shown.shape, done.shape), laid(shown.shape, done.shape.toReversed()));
  const movement = warped(
    SAMPLES,
    (i, j) => distance(shown.way[i], done.way[j]) + 0.5 * distance(shown.velocity[i], done.velocity[j]),
    BAND,
  );
  return {
    shape: shape / TOLERANCES.shape,
    place: distance(shown.centre, done.centre) / TOLERANCES.place,
    movement: movement / TOLERANCES.movement,
  };
}

function described(hand, from, to) {
  const wrist = resampled(hand.wrist, SAMPLES, from, to);
  const centre = [0, 1].map((d) => wrist.reduce((sum, point) => sum + point[d], 0) / SAMPLES);
  const way = wrist.map(([x, y]) => [x - centre[0], y - centre[1]]);
  const velocity = way.map((_, n) => {
    const [a, b] = [way[Math.max(0, n - 1)], way[Math.min(SAMPLES - 1, n + 1)]];
    return [0, 1].map((d) => ((b[d] - a[d]) * SAMPLES) / 4);
  });
  return { centre, way, velocity, shape: resampled(hand.shape, SAMPLES, from, to) };
}

function distance(a, b) {
  let sum = 0;
  for (let n = 0; n < a.length; n += 1) sum += (a[n] - b[n]) ** 2;
  return Math.sqrt(sum);
}

function judged({ differences, from, to }, flip) {
  const parts = {};
  for (const [part, difference] of Object.entries(differences)) {
    parts[part] = { difference, score: scored(difference ** 2), differs: difference > DIFFERS };
  }
  const names = Object.keys(parts).sort((a, b) => differences[b] - differences[a]);
  const mean = names.reduce((sum, part) => sum + differences[part] ** 2, 0) / names.length;
  return { score: scored(mean), parts, worst: parts[names[0]].differs ? names[0] : null, mirrored: flip, from, to };
}

function scored(square) {
  return Math.round(100 * Math.exp(-square / 2 / FORGIVEN ** 2));
}
