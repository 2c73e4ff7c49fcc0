/** What goes out, how soon the answer comes, what was left out: in plain words, once a second. */

import { t, written } from "/shell/shell.js";
import { made } from "/parts/dom.js";

const LOOK_MS = 1000;
/** Below this nobody notices a wait, and 0.0 s would be a boast. */
const SHORTEST_MS = 100;

export class Figures {
  #list;
  #timer = null;
  #landmarks = false;
  #sent = null;
  #latency = null;
  #dropped = { frames: 0, windows: 0 };

  /** @param {HTMLElement} list a `<dl>` */
  constructor(list) {
    this.#list = list;
  }

  /**
   * @param {import("/signstream.js").Session} session
   * @param {boolean} landmarks whether they are sent instead of pictures
   * @param {(framesPerSecond: ?number) => void} onRate each time it was looked at
   */
  begin(session, landmarks, onRate) {
    this.end();
    this.#sent = null;
    this.#landmarks = landmarks;
    const look = async () => {
      this.#sent = await session.figures();
      this.show();
      onRate(this.#sent?.framesPerSecond ?? null);
    };
    this.#timer = setInterval(look, LOOK_MS);
    look();
  }

  clear() {
    this.#latency = null;
    this.#dropped = { frames: 0, windows: 0 };
    this.#list.hidden = true;
  }

  end() {
    clearInterval(this.#timer);
  }

  /** A gloss was told. */
  answered(event) {
    if (event.status === "final") this.#latency = event.latency_ms?.total ?? null;
  }

  /** @param {number} count @param {"frames" | "windows"} what */
  dropped(count, what) {
    this.#dropped[what] += count;
    this.show();
  }

  show() {
    const rows = [["picture", this.#picture()], ["answer", this.#answer()], ["dropped", this.#droppedSentence()]];
    this.#list.replaceChildren(...rows.filter(([, sentence]) => sentence).map(([name, sentence]) =>
      made("div", { dataset: { figure: name } },
        made("dt", { textContent: t(`figures.${name}`) }), made("dd", { textContent: sentence }))));
    this.#list.hidden = this.#list.childElementCount === 0;
  }

  #picture() {
    if (this.#landmarks) return this.#found();
    if (!this.#sent?.width) return "";
    const { width, height, framesPerSecond } = this.#sent;
    return t("figures.picture.sent", { width: String(width), height: String(height), count: Math.round(framesPerSecond ?? 0) });
  }

  /** How many pictures a second are looked at on this device; what is slow is told to a tenth. */
  #found() {
    const rate = this.#sent?.framesPerSecond ?? null;
    if (rate === null) return t("figures.landmarks.waiting");
    return t("figures.landmarks.found", { count: rate < 10 ? Math.round(rate * 10) / 10 : Math.round(rate) });
  }

  #answer() {
    if (this.#latency === null) return t("figures.answer.none");
    if (this.#latency < SHORTEST_MS) return t("figures.answer.soon");
    const seconds = written(this.#latency / 1000, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
    return t("figures.answer.after", { seconds });
  }

  #droppedSentence() {
    const { frames, windows } = this.#dropped;
    if (!frames && !windows) return t("figures.dropped.none");
    const said = [];
    if (frames) said.push(t("figures.dropped.frames", { count: frames }));
    if (windows) said.push(t("figures.dropped.windows", { count: windows }));
    return said.join(" ");
  }
}
