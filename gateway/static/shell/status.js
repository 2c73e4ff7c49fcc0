/** The status line (`#state`): one sentence of what is going on, told to screen readers too. */

import { onLanguage, t } from "./language.js";

let last = null;

/**
 * Says a sentence of strings.js; said again when the language changes.
 *
 * @param {string} state a word for `#state[data-state]`: "error" and "failed" are shown as wrong, "live" as well
 * @param {string} key
 * @param {object} [values]
 */
export function say(state, key, values) {
  write(state, () => t(key, values));
}

/** Says what is put together elsewhere, or worded by the server: `sentence()` is asked again when the language changes. */
export function sayText(state, sentence) {
  write(state, sentence);
}

function write(state, sentence) {
  const line = document.getElementById("state");
  const first = last === null;
  last = { line, sentence };
  line.dataset.state = state;
  line.textContent = sentence();
  if (first) onLanguage(() => { last.line.textContent = last.sentence(); });
}
