/** Quiz: a skeleton is shown, one of four names is right; what is known is kept in this browser. */

import { keep, onLanguage, open, recall, say, t, toast } from "/shell/shell.js";
import { made } from "/parts/dom.js";
import { loadExample, loadModels } from "/parts/signs.js";
import { Skeleton } from "/parts/skeleton.js";
import { answered, BOXES, knownOf, question, readProgress } from "./progress.js";
import strings from "./strings.js";

open("practice", strings);

const PROGRESS = "quiz.progress";
const LEFT_OUT = "quiz.left-out";

const byId = (id) => document.getElementById(id);
const [choice, list, answers, next, practise] = ["model", "signs", "answers", "next", "practise"].map(byId);
const skeleton = new Skeleton(byId("skeleton"));

let models = [];
let progress = readProgress(recall(PROGRESS));
let asked = null;
let unanswered = false;

const model = () => models.find(({ name }) => name === choice.value);
const chosen = () => [...list.querySelectorAll("input:checked")].map(({ value }) => value);

function leftOut() {
  try {
    const kept = JSON.parse(recall(LEFT_OUT, "{}"))[choice.value];
    return new Set(Array.isArray(kept) ? kept : []);
  } catch {
    return new Set();
  }
}

function keepChosen() {
  const left = [...list.querySelectorAll("input:not(:checked)")].map(({ value }) => value);
  let kept = {};
  try {
    kept = JSON.parse(recall(LEFT_OUT, "{}"));
  } catch {
    // What is there is not ours: written anew.
  }
  keep(LEFT_OUT, JSON.stringify({ ...kept, [choice.value]: left }));
  if (!asked || !chosen().includes(asked.sign)) ask();
}

function showSigns() {
  const left = leftOut();
  list.replaceChildren(...model().signs.map((sign) => {
    const box = made("input", { type: "checkbox", value: sign, checked: !left.has(sign) });
    box.addEventListener("change", keepChosen);
    return made("li", {}, made("label", {}, box, made("span", { textContent: sign, lang: model().language }), made("small")));
  }));
  showKnown();
}

function showKnown() {
  const known = model().signs.filter((sign) => knownOf(progress, choice.value, sign).box === BOXES - 1).length;
  byId("known").textContent = t("known", { known, count: model().signs.length });
  for (const item of list.children) {
    const { box, right, wrong } = knownOf(progress, choice.value, item.querySelector("input").value);
    item.querySelector("small").textContent = right + wrong ? t("box", { box: box + 1, boxes: BOXES }) : "";
  }
}

async function ask() {
  const signs = chosen();
  byId("question").hidden = !signs.length;
  if (!signs.length) {
    asked = null;
    skeleton.pause();
    say("idle", "state.choose");
    return;
  }
  const mine = asked = question(signs, model().signs, progress, choice.value, asked?.sign);
  next.hidden = practise.hidden = true;
  unanswered = true;
  answers.replaceChildren(...mine.answers.map((sign) => {
    const button = made("button", { type: "button", textContent: sign, lang: model().language, dataset: { sign } });
    button.addEventListener("click", () => answer(sign));
    return button;
  }));
  const example = await loadExample(choice.value, mine.sign).catch((error) => {
    say("error", error.message);
    return undefined;
  });
  if (mine !== asked || example === undefined) return;
  if (!example?.take) {
    byId("question").hidden = true;
    say("error", "state.noexample");
    return;
  }
  skeleton.show(example.take);
  skeleton.play();
  say("idle", "state.asked");
}

function answer(sign) {
  if (!unanswered) return;
  unanswered = false;
  const right = sign === asked.sign;
  progress = answered(progress, choice.value, asked.sign, right);
  keep(PROGRESS, JSON.stringify(progress));
  for (const button of answers.children) {
    button.disabled = true;
    if (button.dataset.sign === asked.sign) button.dataset.right = "true";
    else if (button.dataset.sign === sign) button.dataset.right = "false";
  }
  showKnown();
  say(right ? "live" : "wrong", right ? "state.right" : "state.wrong", { sign: asked.sign });
  practise.href = `/practice/?${new URLSearchParams({ model: choice.value, sign: asked.sign })}${location.hash}`;
  practise.hidden = right || model().task !== "isolated";
  next.hidden = false;
  next.focus();
}

function setAll(checked) {
  for (const box of list.querySelectorAll("input")) box.checked = checked;
  keepChosen();
}

function save() {
  const file = new Blob([JSON.stringify(progress, null, 2)], { type: "application/json" });
  const link = made("a", { href: URL.createObjectURL(file), download: "signstream-quiz.json" });
  link.click();
  URL.revokeObjectURL(link.href);
}

function forget() {
  if (!confirm(t("clear.sure"))) return;
  progress = {};
  keep(PROGRESS, "");
  showKnown();
  toast(t("cleared"));
}

function changeModel() {
  asked = null;
  showSigns();
  ask();
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.matches("select")) return;
  const button = answers.children[Number(event.key) - 1];
  if (button && unanswered) answer(button.dataset.sign);
});
next.addEventListener("click", ask);
choice.addEventListener("change", changeModel);
byId("all").addEventListener("click", () => setAll(true));
byId("none").addEventListener("click", () => setAll(false));
byId("export").addEventListener("click", save);
byId("clear").addEventListener("click", forget);

say("idle", "state.loading");
try {
  models = await loadModels();
  choice.replaceChildren(...models.map(({ name, title }) => new Option(title, name)));
  const wanted = new URLSearchParams(location.search).get("model");
  if (models.some(({ name }) => name === wanted)) choice.value = wanted;
  showSigns();
  onLanguage(showKnown);
  ask();
} catch (error) {
  say("error", error.message);
}
