/** The page: a camera or a file in, glosses out. `?models=a,b` chooses models, `?autostart=1` starts at once,
 * `#token=…` is for servers that ask for one. */

import { connect, SignstreamError } from "/signstream.js";
import { clear, draw } from "/parts/overlay.js";
import { knows, open, say, sayText, t, token } from "/shell/shell.js";
import strings from "./strings.js";

open("live", strings);

const parameters = new URLSearchParams(location.search);
const models = (parameters.get("models") ?? "").split(",").filter(Boolean);

const stage = document.getElementById("stage");
const video = document.getElementById("video");
const overlay = document.getElementById("overlay");
const start = document.getElementById("start");
const stop = document.getElementById("stop");
const file = document.getElementById("file");
const state = document.getElementById("state");
const glosses = document.getElementById("glosses");

// The camera's own shape: asking for another makes browsers cut off the sides, and the hands with them.
const CAMERA = { video: { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } }, audio: false };

let session = null;
let stream = null;
let attempt = 0;

/** The states of a session that a sentence of the server's explains further. */
const EXPLAINED = new Set(["queued", "degraded", "failed"]);

function onState(name, reason) {
  const sentence = () => t(`session.${name}`);
  if (name === "ended" && reason) sayText(name, () => `${sentence()} (${reason})`);
  else sayText(name, () => (EXPLAINED.has(name) && reason ? `${sentence()} ${reason}` : sentence()));
  if (name === "ended" || name === "failed") release();
}

/** One partial a model, in grey, replaced by the next partial or the final of that model. */
function onGloss(event) {
  const partial = [...glosses.children].find(
    (item) => item.classList.contains("partial") && item.dataset.model === event.model,
  );
  const item = partial ?? glosses.appendChild(document.createElement("li"));
  item.className = event.status;
  item.dataset.model = event.model;
  item.dataset.start = event.start;
  item.textContent = `${event.gloss} `;
  if (event.status === "final") {
    const confidence = item.appendChild(document.createElement("small"));
    confidence.textContent = `${Math.round(event.confidence * 100)} %`;
  }
}

function busy(now) {
  start.disabled = now;
  file.disabled = now;
  stop.disabled = !now;
}

/** Lets go of the camera; what was recognised stays. */
function release() {
  stream?.getTracks().forEach((track) => track.stop());
  stream = null;
  session = null;
  busy(false);
  clear(overlay);
}

async function run(options) {
  const mine = ++attempt;
  glosses.replaceChildren();
  try {
    const made = await connect({
      ...options,
      models,
      token,
      onGloss: (event) => { if (mine === attempt) onGloss(event); },
      onState: (name, reason) => { if (mine === attempt) onState(name, reason); },
      onLandmarks: (_, points) => { if (mine === attempt) draw(overlay, video, points); },
    });
    if (mine !== attempt) {
      await made.stop();
      made.close();
      return;
    }
    session = made;
    state.dataset.session = made.id;
  } catch (error) {
    if (mine !== attempt) return;
    release();
    if (error instanceof SignstreamError) sayText("error", () => error.message);
    else say("error", "server.wrong", { reason: error.message });
  }
}

async function startCamera() {
  busy(true);
  say("asking", "state.asking");
  if (!navigator.mediaDevices) {
    busy(false);
    say("error", "camera.insecure");
    return;
  }
  try {
    stream = await navigator.mediaDevices.getUserMedia(CAMERA);
  } catch (error) {
    busy(false);
    const key = `camera.${error.name}`;
    say("error", knows(key) ? key : "camera.other", { reason: error.message });
    return;
  }
  stream.getVideoTracks()[0].addEventListener("ended", stopCamera);
  stage.classList.add("mirrored");
  video.removeAttribute("src");
  video.srcObject = stream;
  say("connecting", "state.connecting");
  await run({ stream });
}

async function stopCamera() {
  stop.disabled = true;
  const ending = session;
  if (!ending) attempt += 1; // still connecting: whatever comes of it is stopped
  stream?.getTracks().forEach((track) => track.stop());
  say("stopping", "state.stopping");
  await ending?.stop();
  if (!ending) {
    release();
    say("idle", "state.idle");
  }
  busy(false);
}

async function sendFile() {
  const [chosen] = file.files;
  if (!chosen) return;
  busy(true);
  stop.disabled = true;
  stage.classList.remove("mirrored");
  video.srcObject = null;
  video.src = URL.createObjectURL(chosen);
  say("uploading", "state.uploading", { name: chosen.name });
  await run({ video: chosen });
  file.value = "";
}

start.addEventListener("click", startCamera);
stop.addEventListener("click", stopCamera);
file.addEventListener("change", sendFile);
addEventListener("pagehide", () => session?.stop());

say("idle", "state.idle");
if (parameters.get("autostart") === "1") startCamera();
