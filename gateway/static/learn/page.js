/** Learn: a searchable list of a model's signs; the chosen one as a skeleton, and as a video where there is one.
 * `?model=NAME&sign=LABEL` opens one. */

import { fill, keep, onLanguage, open, recall, say, t } from "/shell/shell.js";
import { made } from "/parts/dom.js";
import { loadExample, loadModels, searched } from "/parts/signs.js";
import { Skeleton } from "/parts/skeleton.js";
import strings from "./strings.js";

open("learn", strings);

const parameters = new URLSearchParams(location.search);
const [choice, search, list, count] = ["model", "search", "signs", "count"].map((id) => document.getElementById(id));
const [canvas, position, play, speed, mirror, film] = ["skeleton", "position", "play", "speed", "mirror", "film"]
  .map((id) => document.getElementById(id));
const skeleton = new Skeleton(canvas, (time) => { position.value = time / (skeleton.seconds || 1); });

let models = [];
let sign = "";

const model = () => models.find(({ name }) => name === choice.value);

function showSigns() {
  const found = searched(model()?.signs ?? [], search.value);
  list.replaceChildren(...found.map((name) => {
    const button = made("button", { type: "button", textContent: name, lang: model().language, dataset: { sign: name } });
    button.setAttribute("aria-pressed", name === sign);
    button.addEventListener("click", () => choose(name));
    return made("li", {}, button);
  }));
  count.textContent = found.length ? t("signs.found", { count: found.length }) : t("signs.none");
}

async function choose(name) {
  sign = name;
  for (const button of list.querySelectorAll("button")) button.setAttribute("aria-pressed", button.dataset.sign === name);
  const query = new URLSearchParams({ model: choice.value, sign: name });
  history.replaceState(null, "", `?${query}${location.hash}`);
  let example;
  try {
    example = await loadExample(choice.value, name);
  } catch (error) {
    say("error", error.message);
    return;
  }
  if (sign === name) showExample(name, example, query);
}

function showExample(name, example, query) {
  document.getElementById("shown").hidden = false;
  Object.assign(document.getElementById("sign"), { textContent: name, lang: model().language });
  document.getElementById("practise").href = `/practice/?${query}${location.hash}`;
  const drawn = Boolean(example?.take);
  canvas.hidden = document.getElementById("controls").hidden = !drawn;
  document.getElementById("nothing").hidden = Boolean(example);
  document.getElementById("practise").hidden = !drawn || model().task !== "isolated";
  skeleton.show(example?.take ?? null);
  film.hidden = !example?.video;
  if (example?.video) film.src = example.video;
  else film.removeAttribute("src");
  setPlaying(drawn && !matchMedia("(prefers-reduced-motion: reduce)").matches);
  say("shown", "state.shown", { sign: name });
}

function setPlaying(now) {
  if (now) skeleton.play();
  else skeleton.pause();
  play.dataset.t = now ? "pause" : "play";
  fill(play.parentElement);
}

function setMirrored(now) {
  mirror.checked = now;
  skeleton.mirrored = now;
  film.classList.toggle("mirrored", now);
  keep("learn.mirror", now ? "1" : "");
}

function setSpeed(value) {
  skeleton.speed = film.playbackRate = film.defaultPlaybackRate = Number(value);
  keep("learn.speed", value);
}

const KEYS = {
  " ": () => setPlaying(!skeleton.playing),
  ArrowLeft: () => step(-1),
  ArrowRight: () => step(1),
  m: () => setMirrored(!mirror.checked),
};

function step(pictures) {
  setPlaying(false);
  skeleton.step(pictures);
}

canvas.addEventListener("keydown", (event) => {
  const act = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
play.addEventListener("click", () => setPlaying(!skeleton.playing));
position.addEventListener("input", () => {
  setPlaying(false);
  skeleton.time = position.value * skeleton.seconds;
});
mirror.addEventListener("change", () => setMirrored(mirror.checked));
speed.addEventListener("change", () => setSpeed(speed.value));
search.addEventListener("input", showSigns);
choice.addEventListener("change", () => {
  sign = "";
  document.getElementById("shown").hidden = true;
  skeleton.pause();
  showSigns();
  say("idle", "state.choose");
});

say("idle", "state.loading");
setMirrored(recall("learn.mirror") === "1");
speed.value = [...speed.options].some(({ value }) => value === recall("learn.speed")) ? recall("learn.speed") : "1";
setSpeed(speed.value);
try {
  models = await loadModels();
  choice.replaceChildren(...models.map(({ name, title }) => new Option(title, name)));
  if (models.some(({ name }) => name === parameters.get("model"))) choice.value = parameters.get("model");
  say("idle", "state.choose");
  onLanguage(showSigns);
  if (model()?.signs.includes(parameters.get("sign"))) choose(parameters.get("sign"));
} catch (error) {
  say("error", error.message);
}
