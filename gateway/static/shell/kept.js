/** What a person chose, kept in this browser; it may be switched off, and then nothing is kept. */

const PREFIX = "signstream.";

/** @param {string} name @param {string} otherwise what holds where nothing is kept */
export function recall(name, otherwise = "") {
  try {
    return localStorage.getItem(PREFIX + name) ?? otherwise;
  } catch {
    return otherwise;
  }
}

/** @param {string} name @param {string} value empty: forget it */
export function keep(name, value) {
  try {
    if (value) localStorage.setItem(PREFIX + name, value);
    else localStorage.removeItem(PREFIX + name);
  } catch {
    // A private window: the choice holds while the page is open.
  }
}
