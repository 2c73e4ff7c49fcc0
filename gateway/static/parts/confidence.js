/** How sure: a figure, coloured as well. */

import { written } from "/shell/shell.js";
import { made } from "./dom.js";

const SURE = 0.8;
const LIKELY = 0.5;
/** Below this a reading stands in the list for want of others. */
const WORTH_SAYING = 0.1;

/** "sure", "likely", "unsure" (the names of the colours in tokens.css) or "hardly". */
export function levelOf(confidence) {
  if (confidence >= SURE) return "sure";
  if (confidence >= LIKELY) return "likely";
  return confidence >= WORTH_SAYING ? "unsure" : "hardly";
}

/** `87 %`, in the colour of how sure it is. */
export function confidenceOf(confidence) {
  const text = `${written(Math.round(confidence * 100))} %`;
  return made("small", { className: "confidence", dataset: { level: levelOf(confidence) }, textContent: text });
}
