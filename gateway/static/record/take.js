/** One take: a countdown, then a recording of a fixed length. Times come from the frames the page paints. */

/** A person lowers the hand from the button and gets ready. */
export const COUNTDOWN_SECONDS = 3;

/** One sign, begun and ended at rest; the same three seconds as the takes isolated models are trained on. */
export const TAKE_SECONDS = 3;

/** What browsers record and the server reads, the likeliest first. */
const TYPES = ["video/webm;codecs=vp8", "video/webm", "video/mp4"];

/** Fine enough for fingers; browsers' own choice for 640 x 360 is 2.5 Mbit/s too, but less for a large picture. */
const BITS_PER_SECOND = 2_500_000;

/**
 * Resolves after so many seconds, telling each painted frame how many have gone by.
 *
 * @param {AbortSignal} signal rejects with its reason when it is aborted
 */
function during(seconds, tell, signal) {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const look = () => {
      const gone = (performance.now() - began) / 1000;
      if (signal.aborted) reject(signal.reason);
      else if (gone >= seconds) resolve();
      else {
        tell(gone);
        requestAnimationFrame(look);
      }
    };
    look();
  });
}

/**
 * Counts down, then records.
 *
 * @param {MediaStream} stream
 * @param {(left: number) => void} onCount 3, 2, 1
 * @param {(fraction: number) => void} onRecording 0 to 1
 * @param {AbortSignal} signal breaks it off
 * @returns {Promise<Blob>} what was recorded
 */
export async function take(stream, onCount, onRecording, signal) {
  await during(COUNTDOWN_SECONDS, (gone) => onCount(Math.ceil(COUNTDOWN_SECONDS - gone)), signal);
  const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type));
  const recorder = new MediaRecorder(stream, { mimeType, videoBitsPerSecond: BITS_PER_SECOND });
  const parts = [];
  recorder.addEventListener("dataavailable", ({ data }) => parts.push(data));
  const whole = new Promise((resolve) => recorder.addEventListener("stop", resolve));
  recorder.start();
  try {
    await during(TAKE_SECONDS, (gone) => onRecording(gone / TAKE_SECONDS), signal);
  } finally {
    if (recorder.state !== "inactive") recorder.stop();
  }
  await whole;
  return new Blob(parts, { type: recorder.mimeType });
}
