/** The switch for sending landmarks instead of pictures, and the line that says what leaves the device. */

import { serverHasHolistic } from "/signstream/holistic.js";
import { keep, onLanguage, recall, t } from "/shell/shell.js";

const KEPT = "landmarks-only";

/** Quick signs last a third of a second: with fewer pictures a second than these, too few show them. */
const FEWEST_A_SECOND = 10;

export class LandmarksOnly {
  #box;
  #line;
  #slow;

  /** @param {HTMLInputElement} box @param {HTMLElement} line @param {HTMLElement} slow where a slow device is told of */
  constructor(box, line, slow) {
    this.#box = box;
    this.#line = line;
    this.#slow = slow;
    box.checked = Boolean(recall(KEPT, false));
    box.addEventListener("change", () => this.#choose());
    onLanguage(() => {
      this.#tell();
      if (slow.textContent) slow.textContent = t("landmarks.slow");
    });
    if (box.checked) this.#choose();
  }

  get chosen() {
    return this.#box.checked;
  }

  /** A session keeps what it began with. */
  set disabled(now) {
    this.#box.disabled = now;
  }

  /** Says so where this device finds landmarks of too few pictures a second; null where that is not known. */
  set rate(framesPerSecond) {
    const slow = framesPerSecond !== null && framesPerSecond < FEWEST_A_SECOND;
    // Written only when it changes: a screen reader reads it each time.
    if (slow !== Boolean(this.#slow.textContent)) this.#slow.textContent = slow ? t("landmarks.slow") : "";
  }

  async #choose() {
    if (this.#box.checked && !(await serverHasHolistic())) {
      this.#box.checked = false;
      this.#tell("landmarks.missing");
    } else {
      this.#tell();
    }
    keep(KEPT, this.#box.checked);
  }

  #tell(key = this.#box.checked ? "landmarks.leaves" : "pictures.leave") {
    this.#line.dataset.leaves = key;
    this.#line.textContent = t(key);
  }
}
