/** MediaPipe Holistic in this browser: a sandboxed frame (`/holistic/`) that is shown pictures and says what it found. */

import { SignstreamError } from "./request.js";

/** Compiling 6 MB of WebAssembly and reading 17 MB of networks takes a slow device this long. */
const OPEN_MS = 60000;

/** Without a graphics card the first picture can take a minute. */
const LOOK_MS = 120000;

const FRAME = "/holistic/";
const FIRST_FILE = "/holistic/assets/holistic.js";

/** Whether this server has MediaPipe for browsers; `make browser-landmarks` adds it. */
export async function serverHasHolistic() {
  const response = await fetch(FIRST_FILE, { method: "HEAD" }).catch(() => null);
  return Boolean(response?.ok);
}

export class Holistic {
  #frame;
  #number = 0;
  #asked = null;

  /**
   * Opens the frame; resolves when it can look at pictures.
   *
   * @returns {Promise<Holistic>}
   * @throws {SignstreamError} "no-holistic" where the server has none, "holistic" where it does not run here
   */
  static async open() {
    if (!(await serverHasHolistic())) {
      throw new SignstreamError("This server has no MediaPipe for browsers.", "no-holistic");
    }
    const holistic = new Holistic();
    await holistic.#opened();
    return holistic;
  }

  /**
   * @param {ImageBitmap} bitmap an upright picture, not mirrored; it is given away
   * @returns {Promise<Float32Array>} x, y, z of the 543 canonical rows; NaN where nothing was found
   */
  look(bitmap) {
    const number = (this.#number += 1);
    return this.#answer(LOOK_MS, "found", () => {
      this.#frame.contentWindow.postMessage({ type: "look", number, bitmap }, "*", [bitmap]);
    }).then(({ landmarks }) => landmarks);
  }

  close() {
    this.#asked?.(new SignstreamError("MediaPipe was closed.", "aborted"));
    this.#frame.remove();
  }

  #opened() {
    this.#frame = document.createElement("iframe");
    this.#frame.setAttribute("sandbox", "allow-scripts");
    this.#frame.hidden = true;
    this.#frame.title = "Landmarks";
    return this.#answer(OPEN_MS, "ready", () => {
      this.#frame.src = FRAME;
      document.body.append(this.#frame);
    });
  }

  /** What the frame says next of this type. */
  #answer(patience, type, ask) {
    return new Promise((resolve, reject) => {
      const done = (act) => (value) => {
        clearTimeout(timer);
        removeEventListener("message", hear);
        this.#asked = null;
        act(value);
      };
      const fail = done(reject);
      const wrong = (reason) => fail(new SignstreamError(`MediaPipe does not run here: ${reason}`, "holistic"));
      const hear = ({ data, source }) => {
        if (source !== this.#frame.contentWindow) return;
        if (data?.type === type) done(resolve)(data);
        if (data?.type === "failed") wrong(data.reason);
      };
      const timer = setTimeout(() => wrong(`no answer in ${patience / 1000} s`), patience);
      this.#asked = fail;
      addEventListener("message", hear);
      ask();
    });
  }
}
