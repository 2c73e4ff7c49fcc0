/** Shows how an attempt was: score, parts, what the model took it for. */

import { t, written } from "/shell/shell.js";
import { made } from "/parts/dom.js";

const byId = (id) => document.getElementById(id);

/** Below this a part is far off rather than a little. */
const FAR = 2.5;

export function showComparison(found, trend) {
  byId("result").hidden = false;
  byId("score").textContent = written(found.score);
  byId("score").dataset.worst = found.worst ?? "";
  const differing = Object.keys(found.parts).filter((part) => found.parts[part].differs);
  const verdict = found.worst ? t(`worst.${found.worst}`) : t(found.score >= 80 ? "verdict.good" : "verdict.fair");
  byId("verdict").textContent = found.mirrored ? `${verdict} ${t("verdict.mirrored")}` : verdict;
  byId("before").textContent = t(`trend.${trend.trend}`, { last: trend.last, best: trend.best });
  byId("parts").replaceChildren(...Object.entries(found.parts).map(([part, told]) => partOf(part, told, differing)));
}

function partOf(part, { score, difference, differs }, differing) {
  const degree = !differs ? "fits" : difference > FAR ? "far" : "near";
  const text = made("span", { textContent: t(`part.${degree}`), className: "quiet" });
  const meter = made("meter", { min: 0, max: 100, low: 40, high: 70, optimum: 100, value: score });
  meter.setAttribute("aria-label", t(`part.${part}`));
  const item = made("li", { dataset: { part, differs: String(differing.includes(part)) } });
  item.append(made("span", { className: "row" }, made("b", { textContent: t(`part.${part}`) }), text), meter);
  return item;
}

/** @param {object?} event the gloss the attempt was taken for @param {string} sign what it should have been */
export function showRanking(event, sign, language) {
  const ranked = event ? [...event.alternatives, ...(event.more ?? [])] : [];
  byId("unranked").hidden = ranked.length > 0;
  byId("ranking").replaceChildren(...ranked.map(({ gloss, confidence }) => {
    const share = confidence < 0.001 ? "< 0.1" : written(Math.round(confidence * 1000) / 10);
    const word = made("span", { textContent: gloss, lang: language });
    const item = made("li", {}, word, made("span", { textContent: `${share} %` }));
    if (gloss === sign) item.setAttribute("aria-current", "true");
    return item;
  }));
}
