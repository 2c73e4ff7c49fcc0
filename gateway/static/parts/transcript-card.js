/** The running transcript: times, glosses, how sure; to be copied or kept. */

import { onLanguage, t, toast } from "/shell/shell.js";
import { confidenceOf } from "./confidence.js";
import { made } from "./dom.js";
import { asJson, asText, asWebVtt, clock } from "./transcript.js";

const FORMATS = {
  text: { ending: "txt", type: "text/plain", write: (card) => asText(card.glosses) },
  json: { ending: "json", type: "application/json", write: (card) => asJson(card.session, card.state, card.glosses) },
  vtt: { ending: "vtt", type: "text/vtt", write: (card) => asWebVtt(card.glosses) },
};

export class TranscriptCard {
  /** @type {object[]} the final glosses, in the order told */
  glosses = [];
  session = "";
  state = "";
  #list;
  #empty;
  #buttons = [];
  #models;
  #onTime;

  /**
   * @param {HTMLElement} root an empty card
   * @param {import("./models.js").ModelChoice} models
   * @param {(seconds: number) => void} [onTime] a gloss was pressed; without it times are only shown
   */
  constructor(root, models, onTime) {
    this.#models = models;
    this.#onTime = onTime;
    this.#list = made("ol", { id: "transcript", className: "transcript", tabIndex: 0 });
    this.#empty = made("p", { className: "quiet" });
    const title = made("h2");
    const row = made("div", { className: "row formats" }, this.#button("copy", () => this.#copy()));
    for (const name of Object.keys(FORMATS)) row.append(this.#button(name, () => this.#save(name)));
    root.append(title, this.#empty, this.#list, row);
    onLanguage(() => {
      title.textContent = t("transcript.title");
      this.#empty.textContent = t("transcript.empty");
      this.#list.setAttribute("aria-label", t("transcript.title"));
      for (const [button, name] of this.#buttons) button.textContent = t(`transcript.${name}`);
    });
    this.begin("");
  }

  /** @param {string} session */
  begin(session) {
    this.glosses = [];
    this.session = session;
    this.#list.replaceChildren();
    this.#update();
  }

  add(event) {
    this.glosses.push(event);
    const time = this.#onTime
      ? made("button", { type: "button", className: "time", textContent: clock(event.start) })
      : made("span", { className: "time", textContent: clock(event.start) });
    if (this.#onTime) time.addEventListener("click", () => this.#onTime(event.start));
    const gloss = made("span", { textContent: event.gloss, lang: this.#models.languageOf(event.model) });
    const word = made("span", { className: "word" }, gloss);
    if (this.#models.chosen().length > 1) {
      word.append(made("small", { className: "quiet", textContent: this.#models.title(event.model) }));
    }
    this.#list.append(made("li", {}, time, word, confidenceOf(event.confidence)));
    this.#list.scrollTop = this.#list.scrollHeight;
    this.#update();
  }

  #update() {
    const none = this.glosses.length === 0;
    this.#empty.hidden = !none;
    this.#list.hidden = none;
    for (const [button] of this.#buttons) button.disabled = none;
  }

  #button(name, act) {
    const button = made("button", { type: "button", dataset: { format: name } });
    button.addEventListener("click", act);
    this.#buttons.push([button, name]);
    return button;
  }

  async #copy() {
    try {
      await navigator.clipboard.writeText(asText(this.glosses).trim());
      toast(t("transcript.copied"));
    } catch {
      toast(t("transcript.uncopied"));
    }
  }

  #save(name) {
    const { ending, type, write } = FORMATS[name];
    const href = URL.createObjectURL(new Blob([write(this)], { type }));
    made("a", { href, download: `signstream-${this.session}.${ending}` }).click();
    setTimeout(() => URL.revokeObjectURL(href), 1000);
    toast(t("transcript.saved", { name: `signstream-${this.session}.${ending}` }));
  }
}
