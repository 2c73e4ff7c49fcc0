/**
 * MediaPipe Holistic in a frame of its own: pictures in, canonical landmarks out. `../signstream/holistic.js` talks to it.
 *
 * The frame is sandboxed (an origin of its own, no storage, no page around it that it could touch), for MediaPipe's
 * WebAssembly glue needs `unsafe-eval`. Every setting is the server's own (workers/keypoints/holistic.py), and the graph
 * is told 30 pictures a second as there: the same picture gives the same landmarks, left and right as there.
 */

"use strict";

const PICTURES_A_SECOND = 30;

/** Canonical rows (shared/landmarks/canonical.py): where each part begins, and how many it has. */
const PARTS = [
  ["faceLandmarks", 0, 468], ["leftHandLandmarks", 468, 21], ["poseLandmarks", 489, 33], ["rightHandLandmarks", 522, 21],
];
const ROWS = 543;

/** What MediaPipe's C++ writes for every graph: the time of day, a file, a remark. */
const CHATTER = /^[IW]\d{4} |^INFO: Created TensorFlow Lite/;

for (const name of ["log", "info", "warn", "error"]) {
  const say = console[name].bind(console);
  console[name] = (...words) => { if (!CHATTER.test(String(words[0]))) say(...words); };
}

const canvas = document.createElement("canvas");
const context = canvas.getContext("2d");
let found = null;
let shown = 0;

/** Whether WebGL is drawn by the processor: networks then run faster on it directly. */
function drawsInSoftware() {
  const gl = document.createElement("canvas").getContext("webgl2");
  if (!gl) throw new Error("this browser has no WebGL, which MediaPipe needs");
  const told = gl.getExtension("WEBGL_debug_renderer_info");
  const renderer = told ? String(gl.getParameter(told.UNMASKED_RENDERER_WEBGL)) : "";
  return /swiftshader|llvmpipe|softpipe|software|basic render/i.test(renderer);
}

async function open() {
  const useCpuInference = drawsInSoftware();
  const holistic = new globalThis.Holistic({ locateFile: (name) => `/holistic/assets/${name}` });
  holistic.setOptions({
    modelComplexity: 1,
    smoothLandmarks: true,
    enableSegmentation: false,
    refineFaceLandmarks: false,
    minDetectionConfidence: 0.5,
    minTrackingConfidence: 0.5,
    selfieMode: false, // the picture is the camera's own, not a mirror's
    useCpuInference,
  });
  holistic.onResults((results) => { found = results; });
  await holistic.initialize();
  return { holistic, useCpuInference };
}

function canonical(results) {
  const landmarks = new Float32Array(3 * ROWS).fill(NaN);
  for (const [name, first, count] of PARTS) {
    (results?.[name] ?? []).slice(0, count).forEach(({ x, y, z }, row) => landmarks.set([x, y, z], 3 * (first + row)));
  }
  return landmarks;
}

async function look(holistic, bitmap) {
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  found = null;
  shown += 1;
  await holistic.send({ image: canvas }, (1000 * shown) / PICTURES_A_SECOND);
  return canonical(found);
}

const opening = open();
opening.then(
  ({ useCpuInference }) => parent.postMessage({ type: "ready", useCpuInference }, "*"),
  (error) => parent.postMessage({ type: "failed", reason: error.message }, "*"),
);

addEventListener("message", async ({ data, source }) => {
  if (source !== parent || data?.type !== "look") return;
  try {
    const { holistic } = await opening;
    const landmarks = await look(holistic, data.bitmap);
    parent.postMessage({ type: "found", number: data.number, landmarks }, "*", [landmarks.buffer]);
  } catch (error) {
    parent.postMessage({ type: "failed", reason: error.message ?? String(error) }, "*");
  }
});
