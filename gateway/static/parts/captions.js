/** Glosses as they come: one partial a model, in grey, replaced by the next partial or the final of that model. */

import { made } from "./dom.js";
import { confidenceOf } from "./confidence.js";

export class Captions {
  #list;
  #models;

  /**
   * @param {HTMLElement} list `<ol id="glosses">`
   * @param {import("./models.js").ModelChoice} models what they are called, and their language
   */
  constructor(list, models) {
    this.#list = list;
    this.#models = models;
  }

  clear() {
    this.#list.replaceChildren();
  }

  /** Rows of several models are kept apart, each below its model's name. @param {string[]} names */
  begin(names) {
    this.clear();
    if (names.length < 2) return;
    for (const name of names) {
      const title = made("li", { className: "of", textContent: this.#models.title(name), lang: "en" });
      this.#list.append(title);
      title.dataset.of = name;
    }
  }

  show(event) {
    const item = this.#of(event.model).find((other) => other.classList.contains("partial")) ?? this.#added(event);
    item.className = event.status;
    item.dataset.start = event.start;
    item.textContent = `${event.gloss} `;
    if (event.status === "final") item.append(confidenceOf(event.confidence));
    this.#list.scrollTop = this.#list.scrollHeight;
  }

  /** A partial that nothing follows is no gloss. */
  end() {
    for (const item of this.#list.querySelectorAll(".partial")) item.remove();
  }

  #of(model) {
    return [...this.#list.children].filter((item) => item.dataset.model === model);
  }

  #added({ model }) {
    const item = made("li", { lang: this.#models.languageOf(model), dataset: { model } });
    const title = [...this.#list.children].find((other) => other.dataset.of === model);
    const last = this.#of(model).pop() ?? title;
    if (last) last.after(item);
    else this.#list.append(item);
    return item;
  }
}
