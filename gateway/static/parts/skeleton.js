/** A sign as an animated skeleton: body, head and hands, drawn from an example's trajectory. */

const POSE = 489;
/** Where the hands are, and which of the canvas' own properties holds each one's colour (skeleton.css). */
const HANDS = [{ first: 468, color: "caretColor" }, { first: 522, color: "textDecorationColor" }];
const BONES = [
  [0, 1, 2, 3, 4], [0, 5, 6, 7, 8], [5, 9, 10, 11, 12], [9, 13, 14, 15, 16], [13, 17, 18, 19, 20], [0, 17],
];
/** Wrists, elbows and shoulders; the neck is drawn from the mouth. */
const ARMS = [[15, 13, 11, 12, 14, 16]];
const EARS = [7, 8];
const NOSE = 0;
const MOUTH = [9, 10];

const MARGIN = 0.08;
/** A pause between two rounds, so that one sees where the sign begins. */
const REST_SECONDS = 0.6;

export class Skeleton {
  #canvas;
  #take = null;
  #time = 0;
  #last = null;
  #request = 0;
  #onTime;
  speed = 1;
  #mirrored = false;

  /** @param {HTMLCanvasElement} canvas @param {(time: number) => void} [onTime] whenever another picture is shown */
  constructor(canvas, onTime = () => {}) {
    this.#canvas = canvas;
    this.#onTime = onTime;
    new ResizeObserver(() => this.draw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  /** @param {object?} take with `bounds`; null: nothing to show */
  show(take) {
    this.#take = take;
    this.#time = 0;
    this.draw();
  }

  get seconds() {
    return this.#take ? this.#take.times.at(-1) : 0;
  }

  get playing() {
    return this.#request !== 0;
  }

  get time() {
    return Math.min(this.#time, this.seconds);
  }

  set time(value) {
    this.#time = Math.min(Math.max(value, 0), this.seconds);
    this.draw();
  }

  get mirrored() {
    return this.#mirrored;
  }

  set mirrored(now) {
    this.#mirrored = now;
    this.draw();
  }

  play() {
    if (this.playing) return;
    this.#last = null;
    const step = (now) => {
      // The time of a frame lies before the moment at which it was asked for.
      this.#time += ((now - (this.#last ?? now)) / 1000) * this.speed;
      this.#last = now;
      if (this.#time > this.seconds + REST_SECONDS) this.#time = 0;
      this.draw();
      this.#request = requestAnimationFrame(step);
    };
    this.#request = requestAnimationFrame(step);
  }

  pause() {
    cancelAnimationFrame(this.#request);
    this.#request = 0;
  }

  /** By whole pictures of the example, forwards or back. */
  step(pictures) {
    this.pause();
    if (this.#take) this.time = this.time + pictures * (this.seconds / (this.#take.frames.length - 1));
  }

  draw() {
    const canvas = this.#canvas;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight].map((size) => Math.round(size * devicePixelRatio));
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const pen = canvas.getContext("2d");
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, width, height);
    if (!this.#take || !width) return;
    this.#place(pen, width, height);
    this.#paint(pen, this.#now());
    this.#onTime(this.time);
  }

  /** The example's bounds, whole, in the middle. */
  #place(pen, width, height) {
    const [left, top, right, bottom] = this.#take.bounds;
    const scale = (1 - 2 * MARGIN) * Math.min(width / (right - left), height / (bottom - top));
    pen.translate(width / 2, height / 2);
    // As the signer's own mirror would: the trajectory is what a camera saw.
    pen.scale(this.#mirrored ? -scale : scale, scale);
    pen.translate(-(left + right) / 2, -(top + bottom) / 2);
    pen.lineWidth = (3.5 * devicePixelRatio) / scale;
    pen.lineCap = pen.lineJoin = "round";
  }

  /** The points at this time, between the two pictures around it. */
  #now() {
    const { times, frames } = this.#take;
    const at = (this.time / (this.seconds || 1)) * (times.length - 1);
    const before = Math.min(Math.floor(at), frames.length - 1);
    const after = Math.min(before + 1, frames.length - 1);
    const share = at - before;
    const points = new Map();
    for (const [row, [x, y]] of frames[before]) {
      const next = frames[after].get(row) ?? [x, y];
      points.set(row, [x + (next[0] - x) * share, y + (next[1] - y) * share]);
    }
    return points;
  }

  #paint(pen, points) {
    const style = getComputedStyle(this.#canvas);
    pen.strokeStyle = style.color;
    lines(pen, points, POSE, ARMS);
    head(pen, points);
    pen.lineWidth *= 0.7;
    for (const { first, color } of HANDS) {
      pen.strokeStyle = style[color];
      lines(pen, points, first, BONES);
    }
  }
}

function lines(pen, points, first, chains) {
  for (const chain of chains) {
    pen.beginPath();
    let drawing = false;
    for (const row of chain) {
      const point = points.get(first + row);
      if (point) pen[drawing ? "lineTo" : "moveTo"](...point);
      drawing = Boolean(point);
    }
    pen.stroke();
  }
}

function head(pen, points) {
  const ears = EARS.map((row) => points.get(POSE + row));
  const nose = points.get(POSE + NOSE);
  if (!nose || ears.some((ear) => !ear)) return;
  const radius = Math.hypot(ears[0][0] - ears[1][0], ears[0][1] - ears[1][1]) / 2;
  pen.beginPath();
  pen.ellipse(nose[0], nose[1] - radius * 0.2, radius, radius * 1.3, 0, 0, 2 * Math.PI);
  pen.stroke();
  const shoulders = [11, 12].map((row) => points.get(POSE + row));
  if (shoulders.every(Boolean)) {
    pen.beginPath();
    pen.moveTo(nose[0], nose[1] + radius * 1.1);
    pen.lineTo((shoulders[0][0] + shoulders[1][0]) / 2, (shoulders[0][1] + shoulders[1][1]) / 2);
    pen.stroke();
  }
  const mouth = MOUTH.map((row) => points.get(POSE + row));
  if (mouth.every(Boolean)) {
    pen.beginPath();
    pen.moveTo(...mouth[0]);
    pen.lineTo(...mouth[1]);
    pen.stroke();
  }
}
