/** Glosses where they are in the video, one lane a model; press one to go there. */

import { onLanguage, t, written } from "/shell/shell.js";
import { levelOf } from "/parts/confidence.js";
import { made } from "/parts/dom.js";
import { clock } from "/parts/transcript.js";

/** Scales have at most so many marks, at these steps of seconds. */
const MARKS = 6;
const STEPS = [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600];

export class Timeline {
  #root;
  #models;
  #onTime;
  #seconds = 0;
  #glosses = [];
  #head = made("span", { className: "head", hidden: true });
  #names = [];

  /** @param {(seconds: number) => void} onTime a gloss was pressed */
  constructor(root, models, onTime) {
    this.#root = root;
    this.#models = models;
    this.#onTime = onTime;
    onLanguage(() => this.#show());
  }

  /** @param {string[]} names of models */
  begin(names) {
    this.#names = names;
    this.#glosses = [];
    this.#seconds = 0;
    this.#head.hidden = true;
    this.#show();
  }

  /** How long the video is, once that is known; else it is as long as its last gloss. */
  set seconds(seconds) {
    if (!Number.isFinite(seconds)) return;
    this.#seconds = seconds;
    this.#show();
  }

  add(event) {
    this.#glosses.push(event);
    this.#show();
  }

  /** Where the video is. */
  at(seconds) {
    this.#head.hidden = this.#length() === 0;
    this.#head.style.left = this.#share(seconds);
    for (const button of this.#root.querySelectorAll("button")) {
      const now = Number(button.dataset.start) <= seconds && seconds < Number(button.dataset.end);
      if (now) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
  }

  #length() {
    return Math.max(this.#seconds, ...this.#glosses.map(({ end }) => end));
  }

  #share(seconds) {
    return `${(Math.min(seconds / this.#length(), 1) * 100).toFixed(3)}%`;
  }

  #show() {
    this.#root.hidden = this.#length() === 0;
    const lanes = this.#names.map((name) => this.#lane(name));
    lanes[0]?.append(this.#head);
    this.#root.replaceChildren(...lanes, this.#scale());
  }

  #lane(name) {
    const mine = this.#glosses.filter(({ model }) => model === name);
    return made("div", { className: "lane", dataset: { model: name } }, ...mine.map((event) => this.#mark(event)));
  }

  #mark(event) {
    const { gloss, model, start, end, confidence } = event;
    const button = made("button", {
      type: "button", textContent: gloss, lang: this.#models.languageOf(model),
      title: t("mark", { gloss, time: clock(start), percent: Math.round(confidence * 100) }),
      dataset: { start, end, level: levelOf(confidence) },
    });
    button.style.left = this.#share(start);
    button.style.width = this.#share(end - start);
    button.addEventListener("click", () => this.#onTime(start));
    return button;
  }

  #scale() {
    const length = this.#length();
    const scale = made("div", { className: "scale", ariaHidden: "true" });
    if (!length) return scale;
    const step = STEPS.find((candidate) => length / candidate <= MARKS) ?? length / MARKS;
    for (let seconds = 0; seconds <= length; seconds += step) {
      const mark = made("span", { textContent: step < 1 ? written(seconds) : clock(seconds) });
      mark.style.left = this.#share(seconds);
      scale.append(mark);
    }
    return scale;
  }
}
