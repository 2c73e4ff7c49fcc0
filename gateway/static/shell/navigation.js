/** The top of every page: where one can go, the language, light or dark. */

import { LANGUAGES, language, onLanguage, setLanguage, t } from "./language.js";
import { icon } from "./icons.js";
import { setTheme, theme, THEMES } from "./theme.js";

const PAGES = [
  ["live", "/"],
  ["record", "/record/"],
  ["upload", "/upload/"],
  ["learn", "/learn/"],
  ["practice", "/practice/"],
  ["check", "/check/"],
];

const THEME_ICONS = { system: "system", light: "sun", dark: "moon" };

/** @param {string} here the page's name in PAGES */
export function navigation(here) {
  const top = document.getElementById("top");
  top.replaceChildren(skip(), brand(), links(here), choices());
}

function made(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function skip() {
  const link = made("a", { className: "skip", href: "#main" });
  onLanguage(() => { link.textContent = t("shell.skip"); });
  // Not by the fragment: that is where the token is.
  link.addEventListener("click", (event) => {
    event.preventDefault();
    const main = document.getElementById("main");
    main.tabIndex = -1;
    main.focus();
  });
  return link;
}

function brand() {
  const mark = made("img", { src: "/icon.svg", alt: "", width: 28, height: 28 });
  return made("a", { className: "brand", href: `/${location.hash}` }, mark, made("span", { textContent: "Signstream" }));
}

function links(here) {
  const list = made("ul");
  for (const [name, path] of PAGES) {
    const label = made("span");
    onLanguage(() => { label.textContent = t(`shell.${name}`); });
    const link = made("a", { href: path + location.hash }, icon(name), label);
    if (name === here) link.setAttribute("aria-current", "page");
    list.append(made("li", {}, link));
  }
  const nav = made("nav", { className: "pages" }, list);
  onLanguage(() => nav.setAttribute("aria-label", t("shell.pages")));
  return nav;
}

function choices() {
  return made("div", { className: "choices" }, languageChoice(), themeChoice());
}

function languageChoice() {
  const select = made("select", { id: "language" });
  for (const [tag, name] of Object.entries(LANGUAGES)) {
    select.append(made("option", { value: tag, textContent: name, lang: tag, selected: tag === language() }));
  }
  select.addEventListener("change", () => setLanguage(select.value));
  onLanguage(() => select.setAttribute("aria-label", t("shell.language")));
  return select;
}

/** One button that goes round: as the system, light, dark. */
function themeChoice() {
  const button = made("button", { id: "theme", type: "button", className: "plain" });
  const show = () => {
    button.replaceChildren(icon(THEME_ICONS[theme()]));
    button.title = t(`shell.theme.${theme()}`);
    button.setAttribute("aria-label", button.title);
  };
  button.addEventListener("click", () => {
    setTheme(THEMES[(THEMES.indexOf(theme()) + 1) % THEMES.length]);
    show();
  });
  onLanguage(show);
  return button;
}
