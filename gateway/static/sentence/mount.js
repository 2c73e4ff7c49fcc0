/**
 * Glosses as readable lines, as they are; and, where the operator has named a service and the viewer wants it, as
 * sentences rewritten by a language model, which are marked as such. A module for any page:
 *
 *   const sentences = mount(element);
 *   sentences.begin();                                   // another session: what stands there goes
 *   sentences.attach(await connect({ …, onGloss: sentences.hear }));
 */

import { addStrings, onLanguage, t } from "/shell/language.js";
import { bearing } from "/shell/token.js";
import { made } from "/parts/dom.js";
import strings from "./strings.js";

/** Nobody waits as long within a sentence. */
const PAUSE_SECONDS = 2.5;

/**
 * @param {HTMLElement} element an empty card; `/sentence/sentence.css` dresses it
 * @param {{id: string}?} session
 */
export function mount(element, session = null) {
  addStrings(strings);
  const card = new Sentences(element, session);
  return {
    begin: () => card.begin(),
    hear: (event) => card.hear(event),
    attach: (other) => card.attach(other),
    close: () => card.close(),
  };
}

class Sentences {
  #session;
  #list = made("ol", { className: "sentences", ariaLive: "polite", tabIndex: 0 });
  #empty = made("p", { className: "quiet" });
  #choice = made("input", { type: "checkbox" });
  /** By model: the line that is being signed. */
  #open = new Map();
  #timers = new Set();
  #service = { on: false, model: "" };

  constructor(element, session) {
    this.#session = session;
    const title = made("h2");
    const label = made("span");
    const note = made("small", { className: "quiet" });
    const offer = made("div", { className: "stack", hidden: true }, made("label", { className: "row" }, this.#choice, label), note);
    element.append(title, this.#empty, this.#list, offer);
    const tell = () => {
      title.textContent = this.#list.ariaLabel = t("sentence.title");
      this.#empty.textContent = t("sentence.empty");
      label.textContent = t("sentence.rewrite", { model: this.#service.model });
      note.textContent = t("sentence.sends");
    };
    onLanguage(tell);
    this.#ask().then(() => {
      offer.hidden = !this.#service.on;
      tell();
    });
  }

  /** Whether there is a service; without an answer there is none. */
  async #ask() {
    try {
      const response = await fetch("/rewriting");
      if (response.ok) this.#service = await response.json();
    } catch {
      // What is wrong with the server is said where something is asked of it.
    }
  }

  begin() {
    this.close();
    this.#session = null;
    this.#list.replaceChildren();
    this.#empty.hidden = false;
  }

  attach(session) {
    this.#session = session;
  }

  close() {
    this.#timers.forEach(clearTimeout);
    this.#timers.clear();
    this.#open.clear();
  }

  /** A gloss event; partials are guesses and stay out of sentences. */
  hear(event) {
    if (event.status !== "final") return;
    let line = this.#open.get(event.model);
    if (line && event.start - line.end > PAUSE_SECONDS) {
      this.#finish(line);
      line = null;
    }
    line ??= this.#begin(event);
    line.end = event.end;
    line.last = event.start;
    line.text.textContent += (line.text.textContent ? " " : "") + event.gloss;
    clearTimeout(line.timer);
    this.#timers.delete(line.timer);
    line.timer = setTimeout(() => this.#finish(line), PAUSE_SECONDS * 1000);
    this.#timers.add(line.timer);
  }

  #begin({ model, start }) {
    const text = made("span", { className: "line" });
    const item = made("li", { dataset: { model } }, text);
    const line = { model, start, end: start, last: start, text, item, timer: 0 };
    this.#open.set(model, line);
    this.#list.append(item);
    this.#empty.hidden = true;
    return line;
  }

  #finish(line) {
    clearTimeout(line.timer);
    this.#timers.delete(line.timer);
    if (this.#open.get(line.model) === line) this.#open.delete(line.model);
    if (this.#service.on && this.#choice.checked && this.#session) this.#rewrite(line, this.#session.id);
  }

  async #rewrite({ model, start, last, item }, id) {
    let told;
    try {
      const response = await fetch(`/sessions/${id}/sentence`, {
        method: "POST",
        headers: { "Content-Type": "application/json", ...bearing() },
        // Times are told in thousandths.
        body: JSON.stringify({ model, start: start - 0.0005, end: last + 0.0005, rewrite: true }),
      });
      told = response.ok ? await response.json() : { reason: String(response.status) };
    } catch {
      told = { reason: t("sentence.away") };
    }
    const mark = made("small");
    // As text, whatever a language model answers.
    const text = told.sentence ? [mark, made("span", { textContent: told.sentence })] : [mark];
    item.append(made("div", { className: "rewritten" }, ...text));
    const tell = () => {
      mark.textContent = told.sentence
        ? t("sentence.by", { model: told.by })
        : t("sentence.failed", { reason: told.reason });
    };
    onLanguage(tell);
  }
}
