/**
 * What every page has: navigation, languages, light and dark, a status line. See docs/browser.md.
 *
 *   import { open, say, t } from "/shell/shell.js";
 *   import strings from "./strings.js";
 *   open("record", strings);
 */

import { addStrings, onLanguage, t, tell } from "./language.js";
import { navigation } from "./navigation.js";

export { fill, knows, language, onLanguage, t, written } from "./language.js";
export { keep, recall } from "./kept.js";
export { say, sayText } from "./status.js";
export { toast } from "./toast.js";
export { bearing, token } from "./token.js";

/**
 * Makes the page: its navigation, its sentences, its title (the sentence "page.title").
 *
 * @param {string} name "live", "record", "upload", "learn", "practice" or "check"
 * @param {{en: object, ru: object}} strings
 */
export function open(name, strings) {
  addStrings(strings);
  navigation(name);
  onLanguage(() => { document.title = `${t("page.title")} · Signstream`; });
  tell();
}
