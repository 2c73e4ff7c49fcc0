/**
 * The interface's language. Each page brings its sentences in a `strings.js`: `{ en: { key: "…" }, ru: {…} }`.
 * `{name}` in a sentence is filled in; a sentence that depends on a number is an object of plural forms
 * (`{ one, few, many, other }`, Intl.PluralRules) chosen by `count`.
 */

import common from "./strings.js";
import { keep, recall } from "./kept.js";

export const LANGUAGES = { en: "English", ru: "Русский" };

/** Where a sentence goes: the attribute in the page, and what it sets. */
const PLACES = { t: null, tLabel: "aria-label", tTitle: "title", tPlaceholder: "placeholder" };

const tables = { en: { ...common.en }, ru: { ...common.ru } };
const listeners = new Set();
let chosen = wished();

function wished() {
  const kept = recall("language");
  if (kept in LANGUAGES) return kept;
  const wishes = navigator.languages.map((tag) => tag.split("-")[0]);
  return wishes.find((tag) => tag in LANGUAGES) ?? "en";
}

/** "en" or "ru". */
export function language() {
  return chosen;
}

/** @param {{en: object, ru: object}} strings a page's sentences, on top of the shell's */
export function addStrings(strings) {
  for (const tag of Object.keys(LANGUAGES)) Object.assign(tables[tag], strings[tag]);
}

/** Whether there is such a sentence. */
export function knows(key) {
  return key in tables.en;
}

/**
 * The sentence of a key in the chosen language.
 *
 * @param {string} key
 * @param {object} [values] what stands for `{name}`; numbers are written as the language does
 * @throws {Error} no language has the key
 */
export function t(key, values = {}) {
  let sentence = tables[chosen][key] ?? tables.en[key];
  if (sentence === undefined) throw new Error(`no sentence "${key}"`);
  if (typeof sentence === "object") {
    sentence = sentence[new Intl.PluralRules(chosen).select(values.count)] ?? sentence.other;
  }
  return sentence.replace(/\{(\w+)\}/g, (_, name) => written(values[name]));
}

/** A number as the language writes it; anything else as it is. */
export function written(value, options = { maximumFractionDigits: 1 }) {
  return typeof value === "number" ? new Intl.NumberFormat(chosen, options).format(value) : String(value ?? "");
}

/** Fills `data-t`, `data-t-label`, `data-t-title` and `data-t-placeholder` below an element. */
export function fill(root = document.documentElement) {
  for (const [place, attribute] of Object.entries(PLACES)) {
    const name = place.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    for (const element of root.querySelectorAll(`[data-${name}]`)) {
      if (attribute) element.setAttribute(attribute, t(element.dataset[place]));
      else element.textContent = t(element.dataset[place]);
    }
  }
}

/** Calls back now and whenever another language is chosen. */
export function onLanguage(callback) {
  listeners.add(callback);
  callback(chosen);
}

export function setLanguage(tag) {
  if (!(tag in LANGUAGES)) throw new Error(`no language "${tag}"`);
  chosen = tag;
  keep("language", tag);
  tell();
}

/** Writes the page in the chosen language. */
export function tell() {
  document.documentElement.lang = chosen;
  fill();
  for (const callback of listeners) callback(chosen);
}
