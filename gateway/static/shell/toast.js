/** A sentence that comes and goes: something was done, and nothing is asked. */

const SHOWN_MS = 4000;

let shelf;

/** @param {string} sentence */
export function toast(sentence) {
  shelf ??= document.body.appendChild(Object.assign(document.createElement("div"), { className: "toasts" }));
  shelf.setAttribute("role", "status");
  const item = shelf.appendChild(document.createElement("p"));
  item.className = "toast";
  item.textContent = sentence;
  setTimeout(() => item.remove(), SHOWN_MS);
}
