/** A landmark frame as the server takes it: docs/protocol.md, "Landmarks only"; shared/landmarks/message.py. */

const VERSION = 1;
const HEADER_BYTES = 16;
const ROW_BYTES = 6;

const floats = new Float32Array(1);
const bits = new Uint32Array(floats.buffer);

/** IEEE 754 binary16 of a number, rounded to the nearest, ties to even. */
export function half(value) {
  floats[0] = value;
  const sign = (bits[0] >>> 16) & 0x8000;
  const magnitude = bits[0] & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00; // not a number
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // larger than any
  if (magnitude < 0x38800000) {
    // Below the smallest normal number: a multiple of 2 ** -24.
    const scaled = Math.abs(floats[0]) * 2 ** 24;
    const down = Math.floor(scaled);
    const over = scaled - down;
    return sign | (down + (over > 0.5 || (over === 0.5 && down % 2 === 1) ? 1 : 0));
  }
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
  return sign | ((rounded - 0x38000000) >>> 13);
}

/**
 * @param {Float32Array} landmarks x, y, z of the 543 canonical rows
 * @param {number} ticks media time
 * @param {number[]} rows those that are sent
 * @returns {ArrayBuffer}
 */
export function packed(landmarks, ticks, width, height, rows) {
  const view = new DataView(new ArrayBuffer(HEADER_BYTES + ROW_BYTES * rows.length));
  view.setUint8(0, VERSION);
  view.setUint16(2, rows.length, true);
  view.setUint16(4, width, true);
  view.setUint16(6, height, true);
  view.setBigInt64(8, BigInt(ticks), true);
  let at = HEADER_BYTES;
  for (const row of rows) {
    for (let axis = 0; axis < 3; axis += 1, at += 2) view.setUint16(at, half(landmarks[3 * row + axis]), true);
  }
  return view.buffer;
}
