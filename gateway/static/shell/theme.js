/** Light, dark, or as the system is set. The colours themselves are in tokens.css. */

import { keep, recall } from "./kept.js";

export const THEMES = ["system", "light", "dark"];

/** What is chosen: "system", "light" or "dark". */
export function theme() {
  const kept = recall("theme", "system");
  return THEMES.includes(kept) ? kept : "system";
}

export function setTheme(name) {
  keep("theme", name === "system" ? "" : name);
  if (name === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
}
