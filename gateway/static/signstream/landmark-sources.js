/** Where landmarks come from in this browser: a camera as it runs, or a film at its own pace. No picture leaves. */

import { Holistic } from "./holistic.js";
import { SignstreamError } from "./request.js";

/** Frames a second that are looked for: what the server would look at of a camera. */
const FPS = 15;

/** A film whose landmarks are found faster than it plays waits: the server takes no more than 5 s ahead. */
const AHEAD_SECONDS = 3;

/** How far behind a picture's edge a film is looked at: on it, a browser may show the picture before. */
const EDGE_SECONDS = 0.001;

/** A camera's pictures, each as soon as the one before was looked at: the newest, never a queue. */
export class CameraLandmarks {
  #video = document.createElement("video");
  #stopped = false;
  #holistic = null;

  /** @param {MediaStream} stream the camera's own picture, not mirrored */
  constructor(stream) {
    this.#video.muted = true;
    this.#video.playsInline = true;
    this.#video.srcObject = stream;
  }

  /** @throws {SignstreamError} */
  async open() {
    this.#holistic = await Holistic.open();
  }

  /** Calls `take({ time, width, height, landmarks })`, time in seconds from the first, until `stop`. */
  async run(take) {
    await this.#video.play();
    let began = null;
    let next = 0;
    while (!this.#stopped) {
      const now = await shown(this.#video);
      if (this.#stopped) return;
      began ??= now;
      const time = (now - began) / 1000;
      if (time < next) continue;
      next = (Math.floor(time * FPS) + 1) / FPS - 0.25 / FPS;
      const bitmap = await createImageBitmap(this.#video);
      const { width, height } = bitmap;
      take({ time, width, height, landmarks: await this.#holistic.look(bitmap) });
    }
  }

  replace(stream) {
    this.#video.srcObject = stream;
    this.#video.play();
  }

  stop() {
    this.#stopped = true;
    this.#holistic?.close();
    this.#video.srcObject = null;
  }
}

/** A video file, looked at here picture by picture: as slowly as this device needs, at the film's own times. */
export class FilmLandmarks {
  #video = document.createElement("video");
  #url;
  #stopped = false;
  #holistic = null;

  /** @param {Blob} film in a format that the browser plays */
  constructor(film) {
    this.#url = URL.createObjectURL(film);
    this.#video.muted = true;
    this.#video.preload = "auto";
  }

  /** @throws {SignstreamError} */
  async open() {
    const loaded = happened(this.#video, "loadeddata");
    this.#video.src = this.#url;
    await loaded;
    this.#holistic = await Holistic.open();
  }

  async run(take) {
    const began = performance.now();
    for (let number = 0; !this.#stopped && number / FPS < this.#video.duration; number += 1) {
      const time = number / FPS;
      const early = time - AHEAD_SECONDS - (performance.now() - began) / 1000;
      if (early > 0) await new Promise((resolve) => setTimeout(resolve, 1000 * early));
      const sought = happened(this.#video, "seeked");
      this.#video.currentTime = time + EDGE_SECONDS;
      await sought;
      const bitmap = await createImageBitmap(this.#video);
      const { width, height } = bitmap;
      const landmarks = await this.#holistic.look(bitmap);
      if (!this.#stopped) take({ time, width, height, landmarks });
    }
  }

  replace() {
    throw new SignstreamError("A film has no camera to exchange.", "no-video");
  }

  stop() {
    this.#stopped = true;
    this.#holistic?.close();
    URL.revokeObjectURL(this.#url);
  }
}

/** When the next picture of a playing video is there, in milliseconds of `performance.now()`. */
function shown(video) {
  if (video.requestVideoFrameCallback) {
    return new Promise((resolve) => video.requestVideoFrameCallback((now) => resolve(now)));
  }
  return new Promise((resolve) => requestAnimationFrame(resolve)); // Firefox before 132
}

function happened(video, name) {
  return new Promise((resolve, reject) => {
    video.addEventListener(name, resolve, { once: true });
    video.addEventListener("error", () => {
      reject(new SignstreamError("This browser cannot play the file.", "no-video"));
    }, { once: true });
  });
}
