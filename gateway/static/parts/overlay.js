/** Draws landmarks over the picture: hands, pose, lips. Rows are canonical: see signstream.js. */

const LEFT_HAND = 468;
const POSE = 489;
const RIGHT_HAND = 522;

// MediaPipe's hand: the wrist, then four joints a finger.
const HAND_BONES = [
  [0, 1, 2, 3, 4], [0, 5, 6, 7, 8], [5, 9, 10, 11, 12], [9, 13, 14, 15, 16], [13, 17, 18, 19, 20], [0, 17],
];
// MediaPipe's pose: shoulders, elbows, wrists, hips.
const POSE_BONES = [[15, 13, 11, 12, 14, 16], [11, 23, 24, 12]];
// MediaPipe's face mesh: the outer and the inner edge of the lips, closed.
const LIPS = [
  [61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185, 61],
  [78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191, 78],
];

const PARTS = [
  { first: POSE, lines: POSE_BONES, color: "#8ab4f8", width: 3 },
  { first: 0, lines: LIPS, color: "#f28b82", width: 1.5 },
  { first: LEFT_HAND, lines: HAND_BONES, color: "#81c995", width: 2.5 },
  { first: RIGHT_HAND, lines: HAND_BONES, color: "#fdd663", width: 2.5 },
];

/** Where in the canvas the video's picture is: it keeps its shape within the element. */
function frameOf(video, canvas) {
  const scale = Math.min(canvas.width / video.videoWidth, canvas.height / video.videoHeight);
  const width = video.videoWidth * scale;
  const height = video.videoHeight * scale;
  return { left: (canvas.width - width) / 2, top: (canvas.height - height) / 2, width, height };
}

/** @param {Map<number, [number, number]>} points x, y in fractions of the picture by canonical row */
export function draw(canvas, video, points) {
  canvas.width = canvas.clientWidth * devicePixelRatio;
  canvas.height = canvas.clientHeight * devicePixelRatio;
  if (!video.videoWidth) return;
  const context = canvas.getContext("2d");
  const frame = frameOf(video, canvas);
  const place = ([x, y]) => [frame.left + x * frame.width, frame.top + y * frame.height];
  for (const { first, lines, color, width } of PARTS) {
    context.strokeStyle = color;
    context.lineWidth = width * devicePixelRatio;
    for (const line of lines) {
      context.beginPath();
      let pen = false;
      for (const row of line) {
        const point = points.get(first + row);
        if (point) context[pen ? "lineTo" : "moveTo"](...place(point));
        pen = Boolean(point);
      }
      context.stroke();
    }
  }
}

export function clear(canvas) {
  canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
}
