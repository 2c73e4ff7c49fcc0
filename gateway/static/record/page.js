/** The Record page: three seconds of one sign, analysed at once. */

import { connect } from "/signstream.js";
import { CameraError, explainPermission, openCamera } from "/parts/camera.js";
import { Captions } from "/parts/captions.js";
import { GuessesCard } from "/parts/guesses.js";
import { ModelChoice } from "/parts/models.js";
import { sayError, saySession } from "/parts/sentences.js";
import { open, say, token } from "/shell/shell.js";
import strings from "./strings.js";
import { take } from "./take.js";

open("record", strings);

const [stage, video, invitation, permission, count, progress, record, again, state] = [
  "stage", "video", "invitation", "permission", "count", "progress", "record", "again", "state",
].map((id) => document.getElementById(id));

const asked = (new URLSearchParams(location.search).get("models") ?? "").split(",").filter(Boolean);
const models = new ModelChoice(document.getElementById("models"), asked);
const captions = new Captions(document.getElementById("glosses"), models);
const guesses = new GuessesCard(document.getElementById("guesses-card"), models);
const loaded = models.load();

let stream = null;
let recorded = "";
let glosses = 0;

function busy(now) {
  record.disabled = now;
  models.disabled = now;
  again.disabled = now || !recorded;
}

/** The camera's picture, as in a mirror, while one gets ready and signs. */
function showCamera() {
  invitation.hidden = true;
  stage.classList.add("mirrored");
  video.loop = false;
  video.removeAttribute("src");
  video.srcObject = stream;
}

/** What was recorded, as the server got it. */
function showTake() {
  stage.classList.remove("mirrored");
  video.srcObject = null;
  video.loop = true;
  video.src = recorded;
  video.play();
}

function letGo() {
  stream?.getTracks().forEach((track) => track.stop());
  stream = null;
}

/** Records; the camera is on no longer than that. */
async function recordTake() {
  stream = await openCamera();
  const lost = new AbortController();
  stream.getVideoTracks()[0].addEventListener("ended", () => lost.abort(new CameraError("camera.lost")));
  showCamera();
  try {
    return await take(stream, showCount, showRecording, lost.signal);
  } finally {
    letGo();
    count.hidden = true;
    stage.classList.remove("recording");
  }
}

function showCount(left) {
  if (!count.hidden && count.textContent === String(left)) return;
  count.textContent = left;
  count.hidden = false;
  say("counting", "state.counting", { count: left });
}

function showRecording(fraction) {
  if (!stage.classList.contains("recording")) say("recording", "state.recording");
  count.hidden = true;
  stage.classList.add("recording");
  progress.value = fraction;
}

function onGloss(event) {
  captions.show(event);
  guesses.show(event);
  if (event.status === "final") glosses += 1;
}

function onState(name, reason) {
  if (name === "live" || name === "queued") {
    say(name, "state.reading");
    return;
  }
  if (name === "ended") {
    captions.end();
    progress.value = 1;
    say(name, glosses ? "state.done" : "state.nothing");
  } else saySession(name, reason);
  if (name === "ended" || name === "failed") busy(false);
}

async function run() {
  busy(true);
  progress.value = 0;
  glosses = 0;
  captions.begin([]);
  guesses.clear();
  delete state.dataset.session;
  say("asking", "state.asking");
  try {
    await loaded;
    models.check();
    const take = await recordTake();
    URL.revokeObjectURL(recorded);
    recorded = URL.createObjectURL(take);
    showTake();
    progress.value = 0;
    captions.begin(models.chosen());
    say("uploading", "state.sending");
    const session = await connect({
      video: take,
      models: models.chosen(),
      token,
      onGloss,
      onState,
      onProgress: (fraction) => { progress.value = fraction; },
    });
    state.dataset.session = session.id;
  } catch (error) {
    sayError(error);
    busy(false);
  }
}

explainPermission(permission);
record.addEventListener("click", run);
again.addEventListener("click", () => {
  video.currentTime = 0;
  video.play();
});
addEventListener("pagehide", letGo);
say("idle", "state.idle");
