/** Practice: a sign is shown, signed to the camera, and compared part by part. `?model=NAME&sign=LABEL` opens one. */

import { connect } from "/signstream.js";
import { fill, open, say, token } from "/shell/shell.js";
import { openCamera } from "/parts/camera.js";
import { clear, draw } from "/parts/overlay.js";
import { sayError, saySession } from "/parts/sentences.js";
import { loadExample, loadModels } from "/parts/signs.js";
import { Skeleton } from "/parts/skeleton.js";
import { Attempt } from "./attempt.js";
import { compared } from "./comparison.js";
import { added, load, save } from "./history.js";
import { showComparison, showRanking } from "./result.js";
import strings from "./strings.js";

open("practice", strings);

const parameters = new URLSearchParams(location.search);
const byId = (id) => document.getElementById(id);
const [choice, sign, video, overlay] = ["model", "sign", "video", "overlay"].map(byId);
const [start, trying, stop, play, slow, progress] = ["start", "attempt", "stop", "play", "slow", "progress"].map(byId);
const skeleton = new Skeleton(byId("skeleton"));

let models = [];
let example = null;
let stream = null;
let session = null;
let attempt = null;

const model = () => models.find(({ name }) => name === choice.value);

async function showSign() {
  byId("result").hidden = true;
  const wanted = sign.value;
  history.replaceState(null, "", `?${new URLSearchParams({ model: choice.value, sign: wanted })}${location.hash}`);
  try {
    const found = await loadExample(choice.value, wanted);
    if (wanted !== sign.value) return;
    example = found?.take ?? null;
  } catch (error) {
    say("error", error.message);
    return;
  }
  skeleton.show(example);
  trying.disabled = !example;
  if (!matchMedia("(prefers-reduced-motion: reduce)").matches) setPlaying(true);
}

function showSigns(asked = "") {
  sign.replaceChildren(...model().signs.map((name) => new Option(name, name)));
  sign.lang = model().language;
  if (model().signs.includes(asked)) sign.value = asked;
  byId("quiz").href = `/quiz/?${new URLSearchParams({ model: choice.value })}${location.hash}`;
  return showSign();
}

function setPlaying(now) {
  if (now) skeleton.play();
  else skeleton.pause();
  play.dataset.t = now ? "pause" : "play";
  fill(play.parentElement);
}

function running(now) {
  start.hidden = now;
  trying.hidden = !now;
  stop.disabled = !now;
  choice.disabled = now;
}

async function startCamera() {
  start.disabled = true;
  try {
    say("asking", "state.asking");
    stream = await openCamera();
    video.srcObject = stream;
    stream.getVideoTracks()[0].addEventListener("ended", () => { if (session) lost(); });
    say("connecting", "state.connecting");
    session = await connect({ stream, token, models: [choice.value], onGloss, onState, onLandmarks });
    byId("state").dataset.session = session.id;
    running(true);
    trying.focus();
  } catch (error) {
    release();
    sayError(error);
  } finally {
    start.disabled = false;
  }
}

function lost() {
  release();
  say("error", "camera.lost");
}

function onState(name, reason) {
  if (name === "ended" || name === "failed") {
    if (session) release();
    if (name === "failed") saySession(name, reason);
  } else if (!attempt) {
    if (name === "live") say("live", "state.live");
    else saySession(name, reason);
  }
}

function onGloss(event) {
  attempt?.onGloss(event);
}

function onLandmarks(time, points) {
  draw(overlay, video, points);
  attempt?.onLandmarks(time, points);
}

async function tryIt() {
  if (!session || attempt || !example) return;
  const wanted = sign.value;
  trying.disabled = sign.disabled = true;
  const mine = attempt = new Attempt(skeleton.seconds, count, (share) => { progress.value = share; });
  try {
    say("live", "state.count");
    const take = await mine.record(video.videoWidth / video.videoHeight);
    progress.hidden = true;
    if (session) await judge(wanted, take, mine);
  } finally {
    attempt = null;
    trying.disabled = sign.disabled = false;
    trying.dataset.t = "again";
    fill(trying.parentElement);
    count(0, false);
  }
}

function count(number, recording = true) {
  byId("count").textContent = number || "";
  if (number || !recording) return;
  progress.hidden = false;
  progress.value = 0;
  say("live", "state.record", { sign: sign.value });
}

async function judge(wanted, take, mine) {
  const found = compared(example, take);
  if (!found || found.unseen) {
    byId("result").hidden = true;
    say("error", "state.unseen");
    return;
  }
  const { scores, ...trend } = added(load(), choice.value, wanted, found.score);
  save(scores);
  showComparison(found, trend);
  const event = await mine.recognised();
  showRanking(event, wanted, model().language);
  say("live", event ? "state.done" : "state.unrecognised", { score: found.score });
}

/** Lets go of the camera; the result stays. */
function release() {
  stream?.getTracks().forEach((track) => track.stop());
  stream = null;
  session = null;
  video.srcObject = null;
  clear(overlay);
  running(false);
}

async function stopCamera() {
  const ending = session;
  release();
  say("idle", "state.stopped");
  await ending?.stop();
  ending?.close();
}

start.addEventListener("click", startCamera);
trying.addEventListener("click", tryIt);
stop.addEventListener("click", stopCamera);
play.addEventListener("click", () => setPlaying(!skeleton.playing));
slow.addEventListener("change", () => { skeleton.speed = slow.checked ? 0.4 : 1; });
sign.addEventListener("change", showSign);
choice.addEventListener("change", () => showSigns());
addEventListener("pagehide", () => session?.stop());

say("idle", "state.loading");
try {
  // Continuous models have no threshold of a single sign to be taken for.
  models = (await loadModels()).filter(({ task }) => task === "isolated");
  choice.replaceChildren(...models.map(({ name, title }) => new Option(title, name)));
  if (!models.length) {
    start.disabled = true;
    say("error", "state.none");
  } else {
    if (models.some(({ name }) => name === parameters.get("model"))) choice.value = parameters.get("model");
    await showSigns(parameters.get("sign") ?? "");
    say("idle", "state.ready");
  }
} catch (error) {
  start.disabled = true;
  say("error", error.message);
}
