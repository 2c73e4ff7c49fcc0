/** One attempt: a countdown, a few seconds of landmarks, and what the model says of them. */

const COUNTDOWN = 3;
const SHORTEST_SECONDS = 2.5;
/** Raising and lowering the hands, and finding one's way into the sign. */
const AROUND_SECONDS = 1.5;
/** The transcript follows the hands by less; then the result stands without it. */
const LATE_SECONDS = 2;

const until = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

export class Attempt {
  #frames = [];
  #times = [];
  #recording = false;
  #best = null;
  #heard = () => {};

  /** @param {(number: number) => void} onCount 3, 2, 1, then 0 @param {(share: number) => void} onProgress */
  constructor(exampleSeconds, onCount, onProgress) {
    this.seconds = Math.max(SHORTEST_SECONDS, exampleSeconds + AROUND_SECONDS);
    this.onCount = onCount;
    this.onProgress = onProgress;
  }

  onLandmarks(time, points) {
    if (!this.#recording) return;
    this.#times.push(time);
    this.#frames.push(points);
  }

  onGloss(event) {
    if (!this.#times.length || event.end < this.#times[0] || (!this.#recording && event.start > this.#times.at(-1))) return;
    if (!this.#best || event.status === "final" || this.#best.status !== "final") this.#best = event;
    if (event.status === "final") this.#heard();
  }

  /**
   * Counts down and records.
   *
   * @param {number} aspect width / height of the camera's picture
   * @returns {Promise<Take>} as motion.js has it
   */
  async record(aspect) {
    for (let number = COUNTDOWN; number > 0; number -= 1) {
      this.onCount(number);
      await until(1);
    }
    this.onCount(0);
    this.#recording = true;
    const began = performance.now();
    const timer = setInterval(() => this.onProgress(Math.min(1, (performance.now() - began) / 1000 / this.seconds)), 100);
    await until(this.seconds);
    clearInterval(timer);
    this.#recording = false;
    return { aspect, times: this.#times, frames: this.#frames };
  }

  /** The gloss event of the attempt, final if one comes in time; null where no sign was recognised. */
  async recognised() {
    if (this.#best?.status !== "final") {
      await Promise.race([new Promise((resolve) => { this.#heard = resolve; }), until(LATE_SECONDS)]);
    }
    return this.#best;
  }
}
