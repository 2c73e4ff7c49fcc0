/** The switch for sending landmarks instead of pictures, and the line that says what leaves the device. */

import { serverHasHolistic } from "/signstream/holistic.js";
import { keep, onLanguage, recall, t } from "/shell/shell.js";

const KEPT = "landmarks-only";

export class LandmarksOnly {
  #box;
  #line;

  /** @param {HTMLInputElement} box @param {HTMLElement} line */
  constructor(box, line) {
    this.#box = box;
    this.#line = line;
    box.checked = Boolean(recall(KEPT, false));
    box.addEventListener("change", () => this.#choose());
    onLanguage(() => this.#tell());
    if (box.checked) this.#choose();
  }

  get chosen() {
    return this.#box.checked;
  }

  /** A session keeps what it began with. */
  set disabled(now) {
    this.#box.disabled = now;
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
