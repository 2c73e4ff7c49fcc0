/** Landmarks on their way to a session instead of a picture: docs/protocol.md, "Landmarks only". */

import { packed } from "./landmark-message.js";
import { bearing, refused, SignstreamError, unreachable } from "./request.js";

const SUBPROTOCOL = "signstream.landmarks.v1";
const SECRET_PREFIX = "signstream.secret.";
const CLOCK = 1000000;
const OPEN_MS = 15000;
/** The server takes somebody who was silent for four seconds for gone. */
const ALIVE_MS = 1000;
/** A server that acknowledges nothing of what it was sent for this long is gone. */
const UNHEARD_MS = 5000;
/** Frames that wait for the server while it is away: more than the 25 s in which one comes back. */
const KEPT = 450;
const STOP_MS = 3000;
/** Over the newest of these it is told how many pictures a second are looked at; not before the first have passed. */
const RATE_MS = 5000;
const RATE_FIRST_MS = 2000;
const END = JSON.stringify({ type: "end" });

/** Close codes: the session's end is written; from here on, the server takes nothing more. */
const OVER = 1000;
const BROKEN = 4400;

/**
 * Publishes what a source of landmarks finds, to a new session.
 *
 * @param {object} source `open()`, `run(take)`, `replace(stream)`, `stop()`: landmark-sources.js
 * @param {(time: number, points: Map<number, [number, number]>) => void} [onLandmarks]
 * @throws {SignstreamError}
 */
export async function publishLandmarks(server, query, source, token = "", onLandmarks = () => {}) {
  const line = new Line(server, token, source, onLandmarks);
  try {
    await source.open();
    const published = await line.connect(query);
    line.begin();
    return published;
  } catch (error) {
    source.stop();
    throw error;
  }
}

/** What outlives a connection: the session's id and secret, the source, and what the server does not have yet. */
class Line {
  #server;
  #token;
  #source;
  #onLandmarks;
  #kept = [];
  #lost = 0;
  #secret = "";
  #taken = [];
  #began = null;
  #bitsSent = 0;
  #alive = null;
  #socket = null;
  #rows = [];
  #heard = 0;
  /** All frames are there: what is kept is sent, then the end. */
  #ending = false;
  /** Why no connection will be taken any more; "" while one will. */
  #gone = "";
  #finished = () => {};

  constructor(server, token, source, onLandmarks) {
    this.id = newId();
    this.#server = server;
    this.#token = token;
    this.#source = source;
    this.#onLandmarks = onLandmarks;
  }

  /** Opens a socket to the session, new or (with its secret) the same again. */
  async connect(query = "") {
    if (this.#gone) throw new SignstreamError(this.#gone, "refused", 409);
    const path = `/sessions/${this.id}/landmarks${query}`;
    const url = new URL(this.#server.replace(/^http/, "ws") + path);
    if (this.#token) url.searchParams.set("access_token", this.#token);
    const offered = this.#secret ? [SUBPROTOCOL, SECRET_PREFIX + this.#secret] : [SUBPROTOCOL];
    const socket = new WebSocket(url, offered);
    socket.binaryType = "arraybuffer";
    const welcome = await welcomed(socket).catch(async () => { throw await this.#why(path); });
    this.#secret = welcome.secret;
    this.#rows = welcome.rows;
    this.#socket = socket;
    this.#heard = Date.now();
    socket.onmessage = ({ data }) => this.#hear(JSON.parse(data));
    socket.onclose = ({ code, reason }) => { if (code === OVER || code >= BROKEN) this.#leave(reason); };
    this.#forget(welcome.after);
    if (this.#lost) socket.send(JSON.stringify({ type: "lost", count: this.#lost }));
    this.#lost = 0;
    for (const [, frame] of this.#kept) socket.send(frame);
    if (this.#ending) socket.send(END);
    return new PublishedLandmarks(this, socket);
  }

  /** Lets the source run; when it is at its end, so is the session. */
  begin() {
    this.#alive = setInterval(() => this.#look(), ALIVE_MS);
    this.#source.run((frame) => this.#take(frame)).catch((error) => {
      if (!this.#ending) console.error(error);
    }).then(() => this.end());
  }

  replace(stream) {
    this.#source.replace(stream);
  }

  /** That was all; resolves when the server has written the session's end, or does not in time. */
  async end() {
    if (this.#gone) return;
    const finished = new Promise((resolve) => { this.#finished = resolve; });
    if (!this.#ending) {
      this.#ending = true;
      this.#source.stop();
      if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(END);
    }
    await Promise.race([finished, new Promise((resolve) => setTimeout(resolve, STOP_MS))]);
  }

  /** The session is over, or somebody else's. */
  #leave(reason) {
    this.#gone = reason || "The session is over.";
    clearInterval(this.#alive);
    this.#source.stop();
    this.#finished();
  }

  /** No picture is sent, so it has no size; pictures a second are those looked at here. */
  figures() {
    const now = performance.now();
    this.#taken = this.#taken.filter((at) => at > now - RATE_MS);
    const passed = this.#began === null ? 0 : now - this.#began;
    return {
      width: null,
      height: null,
      framesPerSecond: passed < RATE_FIRST_MS ? null : (1000 * this.#taken.length) / Math.min(passed, RATE_MS),
      bitsSent: this.#bitsSent,
      roundTripMs: null,
    };
  }

  #take({ time, width, height, landmarks }) {
    if (this.#ending || this.#gone) return;
    const ticks = Math.round(time * CLOCK);
    const frame = packed(landmarks, ticks, width, height, this.#rows);
    this.#kept.push([ticks, frame]);
    if (this.#kept.length > KEPT) {
      this.#kept.shift();
      this.#lost += 1;
    }
    this.#began ??= performance.now();
    this.#taken.push(performance.now());
    if (this.#socket.readyState === WebSocket.OPEN) {
      this.#socket.send(frame);
      this.#bitsSent += 8 * frame.byteLength;
    }
    this.#onLandmarks(time, pointsOf(landmarks));
  }

  #hear(message) {
    this.#heard = Date.now();
    if (message.type === "ack") this.#forget(message.time);
  }

  #forget(ticks) {
    while (this.#kept.length && this.#kept[0][0] <= ticks) this.#kept.shift();
  }

  /** Every second: says that we are here, and sees whether the server is. */
  #look() {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    this.#socket.send('{"type": "alive"}');
    if (!this.#kept.length) this.#heard = Date.now();
    if (Date.now() - this.#heard > UNHEARD_MS) this.#socket.close();
  }

  /** Browsers do not say why a WebSocket was refused; the same address without one does. */
  async #why(path) {
    const headers = { ...bearing(this.#token), ...(this.#secret && { "Signstream-Secret": this.#secret }) };
    const response = await fetch(this.#server + path, { headers }).catch(() => null);
    if (!response || response.status === 426) return unreachable();
    const error = refused(response.status, await response.text());
    if (error.status === 409) this.#leave(error.message);
    return error;
  }
}

/** One connection of a line: what `Session` asks of a source. */
class PublishedLandmarks {
  #line;
  #socket;
  #lost;

  constructor(line, socket) {
    this.id = line.id;
    this.#line = line;
    this.#socket = socket;
    this.#lost = new Promise((resolve) => {
      const look = ({ code }) => { if (code !== OVER) resolve(); };
      if (socket.readyState > WebSocket.OPEN) look({ code: 1006 });
      socket.addEventListener("close", look);
    });
  }

  /** Resolves when the socket is closed and neither side meant it to be. */
  lost() {
    return this.#lost;
  }

  doubt() {}

  again() {
    return this.#line.connect();
  }

  async replace(stream) {
    this.#line.replace(stream);
  }

  async stop() {
    await this.#line.end();
  }

  close() {
    this.#socket.close();
  }

  async figures() {
    return this.#line.figures();
  }
}

function welcomed(socket) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => { socket.close(); reject(new SignstreamError("No answer.", "unreachable")); }, OPEN_MS);
    socket.onmessage = ({ data }) => { clearTimeout(timer); resolve(JSON.parse(data)); };
    socket.onclose = () => { clearTimeout(timer); reject(new SignstreamError("Refused.", "unreachable")); };
  });
}

function pointsOf(landmarks) {
  const points = new Map();
  for (let row = 0; 3 * row < landmarks.length; row += 1) {
    if (!Number.isNaN(landmarks[3 * row])) points.set(row, [landmarks[3 * row], landmarks[3 * row + 1]]);
  }
  return points;
}

/** 128 random bits, as the server makes them. */
function newId() {
  const bytes = String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16)));
  return btoa(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
