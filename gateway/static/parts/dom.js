/** Elements, made in one line. */

/** @returns {HTMLElement} a `tag` with properties (`dataset` merged) and children */
export function made(tag, { dataset = {}, ...properties } = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  Object.assign(element.dataset, dataset);
  element.append(...children);
  return element;
}
