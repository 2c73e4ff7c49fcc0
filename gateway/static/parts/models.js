/** Which models to ask: the server's, with what they read, several at once. */

import { keep, language, onLanguage, recall, t } from "/shell/shell.js";
import { made } from "./dom.js";
import { SentenceError } from "./sentences.js";

/** What is kept between visits. */
const KEPT = "models";

/**
 * What a language is called in the interface's language; sign languages have three letters (ISO 639-3) that few
 * browsers have names for.
 */
function nameOf(tag) {
  const key = `model.language.${tag}`;
  try {
    return new Intl.DisplayNames([language()], { type: "language", fallback: "none" }).of(tag) ?? t(key);
  } catch {
    return tag;
  }
}

/** A fieldset of check boxes, one a model. */
export class ModelChoice {
  #root;
  /** @type {Map<string, object>} by name, the default first; empty until, or unless, the server has told them */
  known = new Map();
  #asked;

  /**
   * @param {HTMLElement} root an empty `<fieldset>`
   * @param {string[]} asked names of the page's address, `?models=`; they win over what was chosen before
   */
  constructor(root, asked) {
    this.#root = root;
    this.#asked = asked;
  }

  /** Asks the server; a server that is away leaves the choice to it. Resolves in either case. */
  async load() {
    try {
      const response = await fetch("/models");
      if (!response.ok) return;
      const { models } = await response.json();
      this.known = new Map(models.map((model) => [model.name, model]));
    } catch {
      return; // what is wrong with the server is said when something is asked of it
    }
    onLanguage(() => this.#show());
  }

  #show() {
    const chosen = new Set(this.chosen());
    const legend = made("legend", { textContent: t("model.choose") });
    this.#root.replaceChildren(legend, ...[...this.known.values()].map((model) => this.#row(model, chosen)));
    this.#root.hidden = false;
  }

  #row(model, chosen) {
    const box = made("input", { type: "checkbox", name: "model", value: model.name, checked: chosen.has(model.name) });
    box.addEventListener("change", () => {
      // None at all would be the default without saying so.
      if (!this.#boxes().some((other) => other.checked)) box.checked = true;
      this.#asked = [];
      keep(KEPT, this.chosen().join(","));
    });
    const about = [nameOf(model.sign_language), t("model.signs", { count: model.signs.length }), t(`model.${model.task}`)];
    return made("label", { className: "model" }, box, made("span", {},
      made("b", { textContent: model.title, lang: "en" }),
      made("small", { className: "quiet", textContent: about.join(" · ") })));
  }

  #boxes() {
    return [...this.#root.querySelectorAll("input[name=model]")];
  }

  /** Names to ask for; empty: the server's default. */
  chosen() {
    if (this.#asked.length) return this.#asked;
    const boxes = this.#boxes();
    if (boxes.length) return boxes.filter((box) => box.checked).map((box) => box.value);
    const kept = recall(KEPT).split(",").filter((name) => this.known.has(name));
    return kept.length ? kept : [...this.known.keys()].slice(0, 1);
  }

  /** @throws {SentenceError} the server does not have one that is asked for */
  check() {
    const unknown = this.known.size ? this.chosen().find((name) => !this.known.has(name)) : undefined;
    if (unknown === undefined) return;
    throw new SentenceError("model.unknown", { name: unknown, known: [...this.known.keys()].join(", ") });
  }

  title(name) {
    return this.known.get(name)?.title ?? name;
  }

  /** The language a model's glosses are written in, for `lang`: readers pronounce by it. */
  languageOf(name) {
    return this.known.get(name)?.language ?? "";
  }

  set disabled(now) {
    this.#root.disabled = now;
  }
}
