/**
 * What the hands of a take do, seen from the signer's own body: nothing here depends on where the camera stands.
 * Pure: no page, no network. A take is `{aspect, times, frames}`: width / height of the picture, seconds, and for
 * each picture a Map from canonical row (468-488 left hand, 489-521 pose, 522-542 right hand) to [x, y] in
 * fractions of the picture.
 */

const LEFT_SHOULDER = 500;
const RIGHT_SHOULDER = 501;
const HAND_POINTS = 21;
/** First row of each hand, and the pose's own wrist for pictures in which the hand was not found. */
export const HANDS = { left: { first: 468, wrist: 504 }, right: { first: 522, wrist: 505 } };

/** MediaPipe's pose lists what is left and right in pairs from row 490 on: eyes, then ears to feet. */
const EYES = [[490, 493], [491, 494], [492, 495]];

/** A hand seen in fewer of the pictures takes no part in the sign. */
const PART_OF_SIGN = 0.5;

/**
 * Both hands' ways and shapes, or null for a hand that is hardly seen.
 *
 * @returns {{left: Hand?, right: Hand?, body: boolean}} `body`: the shoulders were seen, so places mean something.
 *   A Hand has, for each picture, `wrist` ([x, y] from between the shoulders, in shoulder widths) and `shape`
 *   (20 points from the wrist, x then y, in units of their root mean square).
 */
export function motionOf({ aspect, frames }) {
  const square = frames.map((frame) => new Map([...frame].map(([row, [x, y]]) => [row, [x * aspect, y]])));
  const own = bodyOf(square) ?? handOf(square);
  if (!own) return { left: null, right: null, body: false };
  const [left, right] = ["left", "right"].map((side) => hand(square, HANDS[side], own));
  return { left, right, body: own.body };
}

/** The same take as a mirror shows it: what the left hand did the right one does. */
export function mirrored({ aspect, times, frames }) {
  return {
    aspect,
    times,
    frames: frames.map((frame) => new Map([...frame].map(([row, [x, y]]) => [opposite(row), [1 - x, y]]))),
  };
}

function opposite(row) {
  if (row >= HANDS.right.first) return row - HANDS.right.first + HANDS.left.first;
  if (row >= HANDS.left.first && row < HANDS.left.first + HAND_POINTS) return row + HANDS.right.first - HANDS.left.first;
  for (const [a, b] of EYES) {
    if (row === a) return b;
    if (row === b) return a;
  }
  // From the ears on, left is even and right the odd one after it, counted from the pose's first row.
  if (row >= 496) return row % 2 ? row - 1 : row + 1;
  return row;
}

/** The frame of reference: the middle and the width of the shoulders, over the whole take. */
function bodyOf(frames) {
  const seen = frames.filter((frame) => frame.has(LEFT_SHOULDER) && frame.has(RIGHT_SHOULDER));
  if (seen.length < frames.length * PART_OF_SIGN || !seen.length) return null;
  const pairs = seen.map((frame) => [frame.get(LEFT_SHOULDER), frame.get(RIGHT_SHOULDER)]);
  const width = median(pairs.map(([a, b]) => Math.hypot(a[0] - b[0], a[1] - b[1])));
  if (!(width > 0)) return null;
  const at = (d) => median(pairs.map(([a, b]) => (a[d] + b[d]) / 2));
  return { x: at(0), y: at(1), unit: width, body: true };
}

/** Where only hands are shown: from where the wrist is in the middle, in lengths of the palm. */
function handOf(frames) {
  const sides = Object.values(HANDS).map(({ first }) => frames.filter((frame) => frame.has(first)).map((frame) => ({
    wrist: frame.get(first),
    palm: frame.get(first + 9),
  })));
  const seen = sides[0].length > sides[1].length ? sides[0] : sides[1];
  if (!seen.length) return null;
  const palms = seen.filter(({ palm }) => palm).map(({ wrist, palm }) => Math.hypot(wrist[0] - palm[0], wrist[1] - palm[1]));
  const unit = median(palms);
  if (!(unit > 0)) return null;
  return { x: median(seen.map(({ wrist }) => wrist[0])), y: median(seen.map(({ wrist }) => wrist[1])), unit, body: false };
}

function hand(frames, { first, wrist }, own) {
  const found = frames.filter((frame) => frame.has(first)).length;
  if (found < 2) return null;
  const places = frames.map((frame) => {
    const point = frame.get(first) ?? frame.get(wrist);
    return point ? [(point[0] - own.x) / own.unit, (point[1] - own.y) / own.unit] : null;
  });
  const shapes = frames.map((frame) => (frame.has(first) ? shapeOf(frame, first) : null));
  const shape = nearest(shapes);
  return shape && { share: found / frames.length, wrist: nearest(places), shape };
}

/** Twenty joints from the wrist, all hands as large: near or far from the camera, grown or small. */
function shapeOf(frame, first) {
  const [x, y] = frame.get(first);
  const flat = [];
  for (let joint = 1; joint < HAND_POINTS; joint += 1) {
    const point = frame.get(first + joint) ?? [x, y];
    flat.push(point[0] - x, point[1] - y);
  }
  const size = Math.sqrt(flat.reduce((sum, value) => sum + value * value, 0) / (HAND_POINTS - 1));
  return size > 0 ? flat.map((value) => value / size) : null;
}

/** Gaps filled with what was seen nearest in time; null where nothing was ever seen. */
function nearest(values) {
  const known = [...values.keys()].filter((at) => values[at]);
  if (!known.length) return null;
  return values.map((value, at) =>
    value ?? values[known.reduce((best, k) => (Math.abs(k - at) < Math.abs(best - at) ? k : best))]);
}

/** Whether a hand takes part in the sign. */
export function takesPart(hand) {
  return Boolean(hand) && hand.share >= PART_OF_SIGN;
}

/** `count` samples evenly between two (fractional) places in a list of vectors, each between its neighbours. */
export function resampled(values, count, from = 0, to = values.length - 1) {
  return Array.from({ length: count }, (_, n) => {
    const at = from + ((to - from) * n) / (count - 1);
    const before = Math.min(Math.floor(at), values.length - 1);
    const after = Math.min(before + 1, values.length - 1);
    const share = at - before;
    return values[before].map((value, d) => value * (1 - share) + values[after][d] * share);
  });
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}
