/** A sentence that comes and goes: something was done, and nothing is asked. */

const SHOWN_MS = 4000;

// There before the first sentence: screen readers only tell changes of what they know.
const shelf = document.body.appendChild(document.createElement("div"));
shelf.className = "toasts";
shelf.setAttribute("role", "status");

/** @param {string} sentence */
export function toast(sentence) {
  const item = shelf.appendChild(document.createElement("p"));
  item.className = "toast";
  item.textContent = sentence;
  setTimeout(() => item.remove(), SHOWN_MS);
}
