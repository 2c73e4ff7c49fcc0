/** Dynamic time warping (Sakoe and Chiba, 1978): two people sign at their own speeds. Pure. */

/**
 * Mean cost along the cheapest way through two sequences, which may run apart by `band` samples.
 *
 * @param {number} length of both sequences
 * @param {(i: number, j: number) => number} cost of laying sample i of the one on sample j of the other
 */
export function warped(length, cost, band) {
  const total = [];
  const steps = [];
  for (let i = 0; i < length; i += 1) {
    total.push(new Float64Array(length).fill(Infinity));
    steps.push(new Int32Array(length));
    for (let j = Math.max(0, i - band); j <= Math.min(length - 1, i + band); j += 1) {
      let before = i || j ? Infinity : 0;
      let taken = 0;
      for (const [a, b] of [[i - 1, j - 1], [i - 1, j], [i, j - 1]]) {
        if (a >= 0 && b >= 0 && total[a][b] < before) [before, taken] = [total[a][b], steps[a][b]];
      }
      total[i][j] = before + cost(i, j);
      steps[i][j] = taken + 1;
    }
  }
  return total[length - 1][length - 1] / steps[length - 1][length - 1];
}
