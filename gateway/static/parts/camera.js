/** The camera of this device: asked for without a microphone, chosen where there are several. */

import { keep, knows, onLanguage, recall, t } from "/shell/shell.js";
import { SentenceError } from "./sentences.js";

// The camera's own shape: asking for another makes browsers cut off the sides, and the hands with them.
const PICTURE = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };

/** Why there is no camera. */
export class CameraError extends SentenceError {}

/**
 * Opens the camera chosen before, or the browser's own choice.
 *
 * @returns {Promise<MediaStream>}
 * @throws {CameraError}
 */
export async function openCamera(deviceId = recall("camera")) {
  if (!navigator.mediaDevices) throw new CameraError("camera.insecure");
  // Not `exact`: a camera that was chosen and is not there today must not stand in the way of another.
  const device = deviceId ? { deviceId: { ideal: deviceId } } : {};
  try {
    return await navigator.mediaDevices.getUserMedia({ video: { ...PICTURE, ...device }, audio: false });
  } catch (error) {
    const key = `camera.${error.name}`;
    throw knows(key) ? new CameraError(key) : new CameraError("camera.other", { reason: error.message || error.name });
  }
}

/**
 * Writes what the browser will do when the camera is asked for, and keeps it true.
 *
 * @param {HTMLElement} line
 * @param {() => void} [onGranted]
 */
export async function explainPermission(line, onGranted) {
  let state = "prompt";
  const write = () => {
    line.dataset.t = `permission.${state}`;
    line.textContent = t(line.dataset.t);
    if (state === "granted") onGranted?.();
  };
  onLanguage(write);
  try {
    const permission = await navigator.permissions.query({ name: "camera" });
    const tell = () => {
      state = permission.state;
      write();
    };
    permission.addEventListener("change", tell);
    tell();
  } catch {
    // Firefox before 2025 does not say: it will ask.
  }
}

/** Lists the cameras in a `<select>`; browsers name them once the camera is allowed. */
export class CameraChoice {
  #select;
  #label;

  /** @param {(deviceId: string) => void} onChoice */
  constructor(select, label, onChoice) {
    this.#select = select;
    this.#label = label;
    select.addEventListener("change", () => {
      keep("camera", select.value);
      onChoice(select.value);
    });
    navigator.mediaDevices?.addEventListener("devicechange", () => this.show());
  }

  /** @param {MediaStream} [stream] the camera that runs */
  async show(stream) {
    const found = (await navigator.mediaDevices.enumerateDevices()).filter((device) => device.kind === "videoinput");
    const named = found.filter((device) => device.label);
    const running = stream?.getVideoTracks()[0].getSettings().deviceId ?? this.#select.value;
    this.#select.replaceChildren(...named.map(({ deviceId, label }) =>
      new Option(label, deviceId, false, deviceId === running)));
    this.#label.hidden = named.length === 0;
  }
}
