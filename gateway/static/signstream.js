/**
 * A small client for Signstream: publishes a camera (WHIP, RFC 9725) or a file, and hears what is recognised.
 *
 *   import { connect } from "/signstream.js";
 *   const session = await connect({
 *     stream: await navigator.mediaDevices.getUserMedia({ video: true }),
 *     models: ["asl-words"],
 *     onGloss: (gloss) => console.log(gloss.status, gloss.gloss, gloss.confidence),
 *     onState: (state, reason) => console.log(state, reason),
 *   });
 *   await session.stop();
 *
 * It comes back by itself when the network or the server was away, and no gloss is told twice or left out.
 * docs/browser.md has all of it.
 */

import { publish } from "./signstream/camera.js";
import { upload } from "./signstream/file.js";
import { CameraLandmarks, FilmLandmarks } from "./signstream/landmark-sources.js";
import { publishLandmarks } from "./signstream/landmarks.js";
import { Session } from "./signstream/session.js";

export { SignstreamError } from "./signstream/request.js";

/**
 * A gloss as the server tells it (docs/protocol.md); `start` and `end` are seconds from the first picture.
 *
 * @typedef {object} Gloss
 * @property {number} seq
 * @property {"partial" | "final"} status a partial is a guess; a final is never taken back
 * @property {string} model
 * @property {"isolated" | "continuous"} task
 * @property {string} gloss
 * @property {number} confidence 0 to 1
 * @property {number} start
 * @property {number} end
 * @property {{gloss: string, confidence: number}[]} alternatives the five likeliest, itself among them
 * @property {{capture: number, keypoints: number, recognize: number, publish: number, total: number}} latency_ms
 */

/**
 * Publishes and listens. Resolves once the camera is connected, or the file is taken.
 *
 * @param {object} options
 * @param {MediaStream} [options.stream] a camera's stream; its first video track is sent as it is
 * @param {Blob} [options.video] a video file instead
 * @param {boolean | object} [options.landmarks] true: landmarks are found in this browser and sent instead of the
 *   stream or the file, which stay here; or a source of landmarks of your own (docs/browser.md)
 * @param {string[]} [options.models] names of models; the server's default where none is given
 * @param {string} [options.server] origin of the server; this page's by default
 * @param {string} [options.token] what a server with keys asks for; good for publishing (or uploading) and hearing
 * @param {AbortSignal} [options.signal] breaks the sending of a file off
 * @param {(gloss: Gloss) => void} [options.onGloss] each gloss
 * @param {(state: string, reason: string) => void} [options.onState] "queued", "live", "degraded", "ended",
 *   "failed", and "reconnecting" while the server cannot be reached
 * @param {(time: number, points: Map<number, [number, number]>) => void} [options.onLandmarks] seconds of media
 *   time, and x, y in fractions of the picture by canonical row (0-542: face 0-467, left hand 468-488, pose
 *   489-521, right hand 522-542)
 * @param {(count: number, what: "frames" | "windows", reason: string) => void} [options.onDropped] what the server
 *   left out, and why
 * @param {(fraction: number) => void} [options.onSent] how much of a file has been sent, 0 to 1
 * @param {(fraction: number) => void} [options.onProgress] how much of a file is recognised, 0 to 1
 * @returns {Promise<Session>}
 * @throws {SignstreamError}
 */
export async function connect(options) {
  const { stream, video, models, landmarks, token = "" } = options;
  const server = options.server ?? location.origin;
  const query = models?.length ? `?models=${models.map(encodeURIComponent).join(",")}` : "";
  let source;
  if (landmarks) source = await publishLandmarks(server, query, landmarkSource(options), token, options.onLandmarks);
  else if (stream) source = await publish(server, query, stream, token);
  else source = await upload(server, query, video, token, options);
  const session = new Session(server, token, source);
  // Landmarks found here are shown from here: the server tells nobody.
  session.listen(landmarks ? { ...options, onLandmarks: undefined } : options);
  return session;
}

function landmarkSource({ landmarks, stream, video }) {
  if (landmarks !== true) return landmarks;
  return stream ? new CameraLandmarks(stream) : new FilmLandmarks(video);
}
