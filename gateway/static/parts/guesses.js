/** The five likeliest glosses of what was signed last, one table a model. */

import { onLanguage, t } from "/shell/shell.js";
import { confidenceOf, levelOf } from "./confidence.js";
import { made } from "./dom.js";

export class GuessesCard {
  #lists;
  #empty;
  #models;

  /** @param {HTMLElement} root an empty card @param {import("./models.js").ModelChoice} models */
  constructor(root, models) {
    this.#models = models;
    const title = made("h2");
    this.#empty = made("p", { className: "quiet" });
    this.#lists = made("div", { id: "guesses", className: "stack" });
    root.append(title, this.#empty, this.#lists);
    onLanguage(() => {
      title.textContent = t("guesses.title");
      this.#empty.textContent = t("guesses.empty");
    });
  }

  clear() {
    this.#lists.replaceChildren();
    this.#empty.hidden = false;
  }

  show(event) {
    this.#empty.hidden = true;
    const rows = event.alternatives.map(({ gloss, confidence }) => this.#row(event.model, gloss, confidence));
    if (this.#models.chosen().length > 1) {
      rows.unshift(made("li", { className: "of", textContent: this.#models.title(event.model) }));
    }
    const list = made("ol", { className: "guesses", dataset: { model: event.model, status: event.status } }, ...rows);
    const before = [...this.#lists.children].find((other) => other.dataset.model === event.model);
    if (before) before.replaceWith(list);
    else this.#lists.append(list);
  }

  #row(model, gloss, confidence) {
    const bar = made("span", { className: "bar", dataset: { level: levelOf(confidence) } });
    bar.style.setProperty("--share", confidence);
    const word = made("span", { className: "word", textContent: gloss, lang: this.#models.languageOf(model) });
    return made("li", {}, bar, word, confidenceOf(confidence));
  }
}
