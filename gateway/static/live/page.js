/** The Live page: a camera or a file in, glosses out while one signs.
 *
 * `?models=a,b` chooses models, `?autostart=1` starts at once, `#token=…` is for servers that ask for one.
 */

import { connect } from "/signstream.js";
import { CameraChoice, explainPermission, openCamera } from "/parts/camera.js";
import { Captions } from "/parts/captions.js";
import { GuessesCard } from "/parts/guesses.js";
import { ModelChoice } from "/parts/models.js";
import { clear, draw } from "/parts/overlay.js";
import { sayError, saySession } from "/parts/sentences.js";
import { TranscriptCard } from "/parts/transcript-card.js";
import { mount } from "/sentence/mount.js";
import { open, say, token } from "/shell/shell.js";
import { Figures } from "./figures.js";
import { LandmarksOnly } from "./landmarks-only.js";
import strings from "./strings.js";

open("live", strings);

const parameters = new URLSearchParams(location.search);
const [stage, video, overlay, invitation, permission, start, stop, file, state] = [
  "stage", "video", "overlay", "invitation", "permission", "start", "stop", "file", "state",
].map((id) => document.getElementById(id));

const models = new ModelChoice(
  document.getElementById("models"), (parameters.get("models") ?? "").split(",").filter(Boolean),
);
const captions = new Captions(document.getElementById("glosses"), models);
const guesses = new GuessesCard(document.getElementById("guesses-card"), models);
const transcript = new TranscriptCard(document.getElementById("transcript-card"), models);
const sentences = mount(document.getElementById("sentence-card"));
const figures = new Figures(document.getElementById("figures"));
const cameras = new CameraChoice(
  document.getElementById("camera"), document.getElementById("camera-label"), exchangeCamera,
);
const landmarksOnly = new LandmarksOnly(
  document.getElementById("landmarks-only"), document.getElementById("leaves"), document.getElementById("slow"),
);
const loaded = models.load();

let session = null;
let stream = null;
let attempt = 0;
/** Why it ended, where that is known here and not by the server: said instead of "ended". */
let lostCamera = false;

function onState(name, reason) {
  transcript.state = name;
  if (name === "ended" || name === "failed") release();
  if (name === "ended" && lostCamera) say("error", "camera.lost");
  else saySession(name, reason);
}

function onGloss(event) {
  captions.show(event);
  guesses.show(event);
  figures.answered(event);
  if (event.status === "final") transcript.add(event);
  sentences.hear(event);
}

function busy(now) {
  start.disabled = now;
  file.disabled = now;
  models.disabled = now;
  landmarksOnly.disabled = now;
  stop.disabled = !now;
}

/** Lets go of the camera; what was recognised stays. */
function release() {
  stream?.getTracks().forEach((track) => track.stop());
  stream = null;
  session = null;
  busy(false);
  figures.end();
  landmarksOnly.rate = null;
  captions.end();
  clear(overlay);
}

async function run(options) {
  const mine = ++attempt;
  const current = (act) => (...told) => { if (mine === attempt) act(...told); };
  try {
    const asked = models.chosen();
    captions.begin(asked);
    guesses.clear();
    figures.clear();
    transcript.begin("");
    sentences.begin();
    const made = await connect({
      ...options,
      landmarks: landmarksOnly.chosen,
      models: asked,
      token,
      onGloss: current(onGloss),
      onState: current(onState),
      onLandmarks: current((_, points) => draw(overlay, video, points)),
      onDropped: current((count, what) => figures.dropped(count, what)),
      onProgress: current((fraction) => say("live", "state.progress", { percent: Math.round(fraction * 100) })),
    });
    if (mine !== attempt) {
      await made.stop();
      made.close();
      return;
    }
    session = made;
    transcript.session = made.id;
    sentences.attach(made);
    state.dataset.session = made.id;
    const here = landmarksOnly.chosen;
    // A file waits for a slow device; a camera does not.
    figures.begin(made, here, (rate) => { landmarksOnly.rate = here && options.stream ? rate : null; });
  } catch (error) {
    if (mine !== attempt) return;
    release();
    sayError(error);
  }
}

/** Shows a camera's picture, and notices when it is unplugged. */
function look(opened) {
  stream = opened;
  stream.getVideoTracks()[0].addEventListener("ended", () => { if (stream === opened) loseCamera(); });
  stage.classList.add("mirrored");
  invitation.hidden = true;
  video.removeAttribute("src");
  video.srcObject = stream;
  cameras.show(stream);
}

async function startCamera() {
  busy(true);
  lostCamera = false;
  say("asking", "state.asking");
  await loaded;
  try {
    models.check();
    look(await openCamera());
  } catch (error) {
    busy(false);
    sayError(error);
    return;
  }
  say("connecting", "state.connecting");
  await run({ stream });
}

/** Another camera while one runs goes on in the same session. */
async function exchangeCamera(deviceId) {
  if (!session || !stream) return;
  const before = stream;
  try {
    const opened = await openCamera(deviceId);
    await session.replace(opened);
    look(opened);
    before.getTracks().forEach((track) => track.stop());
  } catch (error) {
    sayError(error);
  }
}

async function loseCamera() {
  lostCamera = true;
  await stopCamera();
  say("error", "camera.lost");
}

async function stopCamera() {
  stop.disabled = true;
  const ending = session;
  if (!ending) attempt += 1; // still connecting: whatever comes of it is stopped
  stream?.getTracks().forEach((track) => track.stop());
  figures.end();
  if (!lostCamera) say("stopping", "state.stopping");
  await ending?.stop();
  if (!ending) {
    release();
    if (!lostCamera) say("idle", "state.idle");
  }
  busy(false);
}

async function sendFile() {
  const [chosen] = file.files;
  if (!chosen) return;
  busy(true);
  lostCamera = false;
  stop.disabled = true;
  stage.classList.remove("mirrored");
  invitation.hidden = true;
  video.srcObject = null;
  video.src = URL.createObjectURL(chosen);
  say("uploading", "state.uploading", { name: chosen.name });
  await loaded;
  await run({ video: chosen });
  file.value = "";
}

explainPermission(permission, () => cameras.show(stream));
start.addEventListener("click", startCamera);
stop.addEventListener("click", stopCamera);
file.addEventListener("change", sendFile);
addEventListener("pagehide", () => session?.stop());

say("idle", "state.idle");
if (parameters.get("autostart") === "1") startCamera();
