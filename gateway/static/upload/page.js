/** The Upload page: a video in, its signs on a timeline below it. */

import { connect } from "/signstream.js";
import { made } from "/parts/dom.js";
import { ModelChoice } from "/parts/models.js";
import { clear, draw } from "/parts/overlay.js";
import { sayError, saySession } from "/parts/sentences.js";
import { TranscriptCard } from "/parts/transcript-card.js";
import { asWebVtt } from "/parts/transcript.js";
import { onLanguage, open, say, t, token } from "/shell/shell.js";
import strings from "./strings.js";
import { Timeline } from "./timeline.js";

open("upload", strings);

const [drop, file, shown, stage, video, overlay, unplayable, progresses, sent, read, cancel, state] = [
  "drop", "file", "shown", "stage", "video", "overlay", "unplayable", "progresses", "sent", "read", "cancel", "state",
].map((id) => document.getElementById(id));

const asked = (new URLSearchParams(location.search).get("models") ?? "").split(",").filter(Boolean);
const models = new ModelChoice(document.getElementById("models"), asked);
const transcript = new TranscriptCard(document.getElementById("transcript-card"), models, goTo);
const timeline = new Timeline(document.getElementById("timeline"), models, goTo);
const loaded = models.load();

let attempt = 0;
let sending = null;
let name = "";
let captions = "";

function goTo(seconds) {
  video.currentTime = seconds;
  video.scrollIntoView({ block: "nearest" });
}

function busy(now) {
  file.disabled = now;
  models.disabled = now;
}

/** The video as it is on this device; the server reads more kinds than browsers play. */
function preview(chosen) {
  if (video.src) URL.revokeObjectURL(video.src);
  shown.hidden = false;
  stage.hidden = false;
  unplayable.hidden = true;
  video.src = URL.createObjectURL(chosen);
}

function onUnplayable() {
  if (!video.getAttribute("src")) return;
  stage.hidden = true;
  unplayable.hidden = false;
}

/** Captions over the video: the transcript's WebVTT as far as it is known. */
function caption() {
  const href = URL.createObjectURL(new Blob([asWebVtt(transcript.glosses)], { type: "text/vtt" }));
  const track = made("track", { kind: "captions", src: href, default: true, label: t("captions") });
  video.querySelector("track")?.remove();
  video.append(track);
  track.track.mode = "showing";
  if (captions) URL.revokeObjectURL(captions);
  captions = href;
}

function onGloss(event) {
  if (event.status !== "final") return;
  transcript.add(event);
  timeline.add(event);
  caption();
}

function onState(now, reason) {
  transcript.state = now;
  if (now === "ended") {
    read.value = 1;
    const count = transcript.glosses.length;
    if (count) say(now, "state.done", { count });
    else say(now, "state.nothing");
  } else if (now === "live") say(now, "state.reading", { percent: Math.round(read.value * 100) });
  else saySession(now, reason);
  if (now === "ended" || now === "failed") {
    busy(false);
    clear(overlay);
  }
}

function onSent(fraction) {
  sent.value = fraction;
  say("uploading", "state.sending", { name, percent: Math.round(fraction * 100) });
}

function onProgress(fraction) {
  read.value = fraction;
  say("live", "state.reading", { percent: Math.round(fraction * 100) });
}

function begin(chosen) {
  name = chosen.name;
  sent.value = 0;
  read.value = 0;
  transcript.begin("");
  timeline.begin(models.chosen());
  video.querySelector("track")?.remove();
  delete state.dataset.session;
  progresses.hidden = false;
  preview(chosen);
}

async function run(chosen) {
  const mine = ++attempt;
  const current = (act) => (...told) => { if (mine === attempt) act(...told); };
  busy(true);
  sending = new AbortController();
  try {
    await loaded;
    models.check();
    begin(chosen);
    cancel.hidden = false;
    const session = await connect({
      video: chosen,
      models: models.chosen(),
      token,
      signal: sending.signal,
      onSent: current(onSent),
      onGloss: current(onGloss),
      onState: current(onState),
      onProgress: current(onProgress),
      // Of a file they come faster or slower than it plays: drawn only while nobody plays it.
      onLandmarks: current((_, points) => { if (video.paused && !video.currentTime) draw(overlay, video, points); }),
    });
    sent.value = 1;
    transcript.session = session.id;
    state.dataset.session = session.id;
  } catch (error) {
    sayError(error);
    busy(false);
  } finally {
    cancel.hidden = true;
  }
}

function take(files) {
  const [chosen] = files;
  if (chosen && !file.disabled) run(chosen);
}

/** Anywhere on the page: a video dropped beside the box must not replace the page. */
addEventListener("dragover", (event) => {
  event.preventDefault();
  drop.classList.add("over");
});
addEventListener("dragleave", (event) => { if (!event.relatedTarget) drop.classList.remove("over"); });
addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  take(event.dataTransfer.files);
});

file.addEventListener("change", () => {
  take([...file.files]);
  file.value = "";
});
cancel.addEventListener("click", () => sending?.abort());
video.addEventListener("error", onUnplayable);
video.addEventListener("durationchange", () => { timeline.seconds = video.duration; });
video.addEventListener("timeupdate", () => timeline.at(video.currentTime));
video.addEventListener("seeking", () => timeline.at(video.currentTime));
video.addEventListener("play", () => clear(overlay));
onLanguage(() => { unplayable.textContent = t("unplayable"); });
say("idle", "state.idle");
