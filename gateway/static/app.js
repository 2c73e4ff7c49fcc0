/** The page: a camera or a file in, glosses out. `?models=a,b` chooses models, `?autostart=1` starts at once,
 * `#token=…` is for servers that ask for one. */

import { connect, SignstreamError } from "./signstream.js";
import { clear, draw } from "./overlay.js";

const parameters = new URLSearchParams(location.search);
// In the fragment, which no server is told and none can log.
const token = new URLSearchParams(location.hash.slice(1)).get("token") ?? "";
const models = (parameters.get("models") ?? "").split(",").filter(Boolean);

const stage = document.getElementById("stage");
const video = document.getElementById("video");
const overlay = document.getElementById("overlay");
const start = document.getElementById("start");
const stop = document.getElementById("stop");
const file = document.getElementById("file");
const state = document.getElementById("state");
const glosses = document.getElementById("glosses");

const SENTENCES = {
  queued: "Connected; waiting for a free recogniser.",
  live: "Live: sign now.",
  degraded: "Live, but the server is short of time: some of the picture is skipped.",
  reconnecting: "The server is not answering; trying again.",
  ended: "The session has ended.",
  failed: "The session failed.",
};

// The camera's own shape: asking for another makes browsers cut off the sides, and the hands with them.
const CAMERA = { video: { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } }, audio: false };

const CAMERA_ERRORS = {
  NotAllowedError: "The camera is not allowed here. Allow it in the browser's address bar and press Start again.",
  NotFoundError: "No camera was found. Plug one in, or choose a video file.",
  NotReadableError: "The camera is in use by another program. Close that and press Start again.",
};

let session = null;
let stream = null;
let attempt = 0;

function say(name, sentence) {
  state.dataset.state = name;
  state.textContent = sentence;
}

function onState(name, reason) {
  const detail = reason && !["ended", "live"].includes(name) ? ` ${reason}` : "";
  say(name, name === "ended" && reason ? `${SENTENCES.ended} (${reason})` : (SENTENCES[name] ?? name) + detail);
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
    say("error", error instanceof SignstreamError ? error.message : `Something went wrong: ${error.message}`);
  }
}

async function startCamera() {
  busy(true);
  say("asking", "Asking for the camera…");
  if (!navigator.mediaDevices) {
    busy(false);
    say("error", "Browsers give the camera only to pages on https:// or on localhost.");
    return;
  }
  try {
    stream = await navigator.mediaDevices.getUserMedia(CAMERA);
  } catch (error) {
    busy(false);
    say("error", CAMERA_ERRORS[error.name] ?? `The camera cannot be used: ${error.message}`);
    return;
  }
  stream.getVideoTracks()[0].addEventListener("ended", stopCamera);
  stage.classList.add("mirrored");
  video.removeAttribute("src");
  video.srcObject = stream;
  say("connecting", "Connecting…");
  await run({ stream });
}

async function stopCamera() {
  stop.disabled = true;
  const ending = session;
  if (!ending) attempt += 1; // still connecting: whatever comes of it is stopped
  stream?.getTracks().forEach((track) => track.stop());
  say("stopping", "Stopping; the last glosses may still come.");
  await ending?.stop();
  if (!ending) {
    release();
    say("idle", "Ready.");
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
  say("uploading", `Sending ${chosen.name}…`);
  await run({ video: chosen });
  file.value = "";
}

start.addEventListener("click", startCamera);
stop.addEventListener("click", stopCamera);
file.addEventListener("change", sendFile);
addEventListener("pagehide", () => session?.stop());

if (parameters.get("autostart") === "1") startCamera();
