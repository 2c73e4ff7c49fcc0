/** Check: goes the picture's whole way and names the step that fails. */

import { onLanguage, open, say, sayText, t, toast, written } from "/shell/shell.js";
import { openCamera } from "/parts/camera.js";
import { iceServers, lookAtCandidates } from "./candidates.js";
import { culprit, failed, HOPS, ok } from "./findings.js";
import { Line } from "./line.js";
import { lookAtServer } from "./servers.js";
import strings from "./strings.js";
import { watch } from "./watch.js";

open("check", strings);

const MARKS = { waiting: "·", running: "…", ok: "✓", warning: "!", failed: "✕", skipped: "–" };
const STEPS = ["capture", "keypoints", "recognize", "publish", "total"];

const start = document.getElementById("start");
const copy = document.getElementById("copy");
const list = document.getElementById("hops");
const video = document.getElementById("video");
const table = document.getElementById("latency");

/** @type {Map<string, object>} */
const findings = new Map();
let latency = null;

function find(hop, finding) {
  findings.set(hop, finding);
  show(hop);
}

function sentenceOf(finding) {
  return finding.key ? t(finding.key, finding.values) : "";
}

function show(hop) {
  const item = list.querySelector(`[data-hop="${hop}"]`) ?? list.appendChild(made(hop));
  const finding = findings.get(hop) ?? { status: "waiting" };
  item.dataset.status = finding.status;
  item.querySelector(".mark").textContent = MARKS[finding.status];
  item.querySelector("h2").textContent = t(`hop.${hop}`);
  item.querySelector(".unseen").textContent = t(`status.${finding.status}`);
  item.querySelector(".said").textContent = sentenceOf(finding);
  const advice = item.querySelector(".advice");
  advice.hidden = !finding.advice;
  advice.textContent = finding.advice ? t(finding.advice, finding.values) : "";
}

function made(hop) {
  const item = document.createElement("li");
  item.className = "hop";
  item.dataset.hop = hop;
  const mark = Object.assign(document.createElement("span"), { className: "mark", ariaHidden: "true" });
  const status = Object.assign(document.createElement("span"), { className: "unseen" });
  const said = Object.assign(document.createElement("p"), { className: "said" });
  const advice = Object.assign(document.createElement("p"), { className: "advice", hidden: true });
  item.append(mark, document.createElement("h2"), said, advice, status);
  return item;
}

function showLatency(times) {
  latency = times ?? latency;
  if (!latency) return;
  table.hidden = false;
  document.getElementById("latency-empty").hidden = true;
  table.tBodies[0].replaceChildren(...STEPS.map((step) => {
    const row = document.createElement("tr");
    const name = Object.assign(document.createElement("th"), { scope: "row", textContent: t(`latency.${step}`) });
    const value = Object.assign(document.createElement("td"), { textContent: written(latency[step]) });
    row.dataset.step = step;
    row.append(name, value);
    return row;
  }));
}

async function run() {
  findings.clear();
  HOPS.forEach((hop) => find(hop, { status: "waiting" }));
  start.disabled = true;
  copy.disabled = true;
  let stream = null;
  let line = null;
  try {
    say("asking", "state.server");
    const server = await lookAtServer();
    for (const [hop, finding] of Object.entries(server)) find(hop, finding);
    if (server.server.status === "failed") return;
    say("asking", "state.camera");
    stream = await lookAtCamera();
    say("asking", "state.ways");
    const servers = await iceServers();
    for (const [hop, finding] of Object.entries(await lookAtCandidates(servers))) find(hop, finding);
    // Without these there is nobody who could take the picture.
    if (!stream || ["redis", "keypoints"].some((hop) => findings.get(hop).status === "failed")) return;
    say("connecting", "state.connecting");
    line = new Line(stream, servers);
    find("connection", await line.open());
    if (findings.get("connection").status === "failed") return;
    say("live", "state.watching");
    await watch(line, find, showLatency);
  } catch (error) {
    find("server", failed("server.wrong", { reason: error.message }));
  } finally {
    await line?.close();
    stream?.getTracks().forEach((track) => track.stop());
    video.srcObject = null;
    start.disabled = false;
    copy.disabled = false;
    conclude();
  }
}

async function lookAtCamera() {
  try {
    const stream = await openCamera();
    video.srcObject = stream;
    const [track] = stream.getVideoTracks();
    const { width, height, frameRate } = track.getSettings();
    find("camera", ok("camera.open", { label: track.label, width, height, fps: frameRate }));
    return stream;
  } catch (error) {
    find("camera", { status: "failed", key: error.key ?? "camera.other", values: error.values ?? { reason: error.message } });
    return null;
  }
}

/** One sentence: the step that fails and what to do, or that all is well. */
function conclude() {
  const hop = culprit(findings);
  if (!hop) {
    const doubts = [...findings.values()].some(({ status }) => status === "warning");
    say("live", doubts ? "state.doubts" : "state.well");
    return;
  }
  const finding = findings.get(hop);
  document.getElementById("state").dataset.hop = hop;
  sayText("error", () => [
    t("state.stops", { hop: t(`hop.${hop}`) }),
    sentenceOf(finding),
    finding.advice ? t(finding.advice, finding.values) : "",
  ].join(" ").trim());
}

async function copyReport() {
  const told = Object.fromEntries(findings);
  await navigator.clipboard.writeText(JSON.stringify({ browser: navigator.userAgent, findings: told, latency }, null, 2));
  toast(t("copied"));
}

start.addEventListener("click", () => {
  delete document.getElementById("state").dataset.hop;
  run();
});
copy.addEventListener("click", copyReport);

say("idle", "state.idle");
onLanguage(() => {
  HOPS.forEach(show);
  showLatency();
});
