/** One session as its page has it: what is heard of it, and its source, kept connected. */

const SUBPROTOCOL = "signstream.v1+json";
/** A server that was killed is back within seconds; one that is away for longer is not asked all the time. */
const RECONNECT_MS = [250, 500, 500, 500, 500, 500, 500, 1000, 2000, 4000];
/** A server ends a session whose camera has been away for 30 s. */
const AWAY_MS = 25000;
const OVER = new Set(["ended", "failed"]);

const nothing = () => {};

export class Session {
  #server;
  #token;
  #source;
  #sockets = new Set();
  #stopped = false;
  #over = false;
  #timers = new Set();
  /** What was last told of the session. */
  #told = ["queued", ""];
  /** What cannot be reached at the moment: "source", "events". */
  #away = new Set();

  /**
   * @param {object} source what is recognised: `id`, `lost()` (resolves when the line is lost), `doubt()` (the server
   *   may be gone), `again()` (connects to the same session again), `stop()`, `close()`, `figures()`
   */
  constructor(server, token, source) {
    this.id = source.id;
    this.#server = server;
    this.#token = token;
    this.#source = source;
  }

  /** Ends the camera. Events go on until the session has ended; `close()` stops hearing them too. */
  async stop() {
    if (this.#stopped) return;
    this.#stopped = true;
    await this.#source.stop();
  }

  /** Stops hearing events. */
  close() {
    this.#over = true;
    this.#timers.forEach(clearTimeout);
    this.#sockets.forEach((socket) => socket.close());
  }

  /**
   * Sends another camera's stream from now on, in the same session.
   *
   * @param {MediaStream} stream
   */
  async replace(stream) {
    await this.#source.replace(stream);
  }

  /**
   * What is sent now.
   *
   * @returns {Promise<{width: ?number, height: ?number, framesPerSecond: ?number, bitsSent: ?number,
   *   roundTripMs: ?number} | null>} null for a file
   */
  async figures() {
    return this.#source.figures();
  }

  /** Called by `connect`, once. */
  listen({ onGloss, onState, onLandmarks, onDropped, onProgress }) {
    const tellState = onState ?? nothing;
    this.#hearEvents(tellState, {
      gloss: onGloss ?? nothing,
      progress: ({ fraction }) => onProgress?.(fraction),
      dropped: ({ count, what, reason }) => onDropped?.(count, what, reason),
      session: (event) => {
        this.#told = [event.state, event.reason ?? ""];
        tellState(...this.#told);
        if (OVER.has(event.state)) this.close();
      },
    });
    if (onLandmarks) this.#hearLandmarks(onLandmarks);
    this.#keepConnected(tellState);
  }

  /** Publishes again to the same session, to whichever server answers, when the line has broken. */
  async #keepConnected(onState) {
    while (!this.#stopped) {
      await this.#source.lost();
      if (this.#stopped || this.#over) return;
      this.#isAway("source", onState, "The connection was lost; trying again.");
      this.#source.close();
      const back = await this.#comeBack();
      if (this.#stopped || this.#over) {
        back?.close();
        return;
      }
      if (!back) {
        this.#stopped = true;
        this.close();
        onState("failed", "The connection to the server was lost.");
        return;
      }
      this.#source = back;
      this.#isBack("source", onState);
    }
  }

  #isAway(what, onState, reason) {
    this.#away.add(what);
    onState("reconnecting", reason);
  }

  #isBack(what, onState) {
    if (this.#away.delete(what) && this.#away.size === 0) onState(...this.#told);
  }

  async #comeBack() {
    const began = Date.now();
    for (let tries = 0; Date.now() - began < AWAY_MS; tries += 1) {
      try {
        return await this.#source.again();
      } catch (error) {
        if (this.#stopped || this.#over || error.status === 409) return null;
      }
      await new Promise((resolve) => setTimeout(resolve, pauseBefore(tries)));
    }
    return null;
  }

  #hearEvents(onState, told) {
    let after = 0;
    this.#hear("events", () => `?after=${after}`, SUBPROTOCOL, (data) => {
      const event = JSON.parse(data);
      if (event.seq <= after) return;
      after = event.seq;
      told[event.type]?.(event);
    }, onState);
  }

  #hearLandmarks(onLandmarks) {
    this.#hear("overlay", () => "", undefined, (data) => {
      const values = new Float32Array(data);
      const points = new Map();
      for (let at = 1; at + 2 < values.length; at += 3) points.set(values[at], [values[at + 1], values[at + 2]]);
      onLandmarks(values[0], points);
    });
  }

  /** A WebSocket that comes back until the session is over; only of one with `onState` it is told that it is away. */
  #hear(name, query, protocol, onMessage, onState = null, attempt = 0, since = Date.now()) {
    if (this.#over) return;
    const url = new URL(`${this.#server.replace(/^http/, "ws")}/sessions/${this.id}/${name}${query()}`);
    // A browser's WebSocket can send no header (RFC 6750, section 2.3).
    if (this.#token) url.searchParams.set("access_token", this.#token);
    const socket = protocol ? new WebSocket(url, protocol) : new WebSocket(url);
    socket.binaryType = "arraybuffer";
    let tries = attempt;
    let lost = since;
    let opened = false;
    socket.onopen = () => {
      opened = true;
      if (onState) this.#isBack(name, onState);
    };
    socket.onmessage = ({ data }) => onMessage(data);
    socket.onclose = () => {
      this.#sockets.delete(socket);
      if (this.#over) return;
      if (opened) {
        tries = 0;
        lost = Date.now();
        this.#source.doubt();
      }
      if (Date.now() - lost > AWAY_MS) {
        if (!onState) return;
        this.close();
        onState("failed", "The server is not answering.");
        return;
      }
      if (tries > 0 && onState) this.#isAway(name, onState, "The server is not answering; trying again.");
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        this.#hear(name, query, protocol, onMessage, onState, tries + 1, lost);
      }, pauseBefore(tries));
      this.#timers.add(timer);
    };
    this.#sockets.add(socket);
  }
}

/** Longer each time, and not the same for all whom one server sent away. */
function pauseBefore(tries) {
  return RECONNECT_MS[Math.min(tries, RECONNECT_MS.length - 1)] * (0.5 + Math.random());
}
