/** Requests to the server, and what is said when one fails. */

/**
 * Something a person can be told.
 *
 * `code` is "unreachable" (nobody answers), "refused" (the server says why, with its HTTP `status`), "no-path" (no
 * connection for the picture could be made), "no-video" (the stream has none) or "aborted".
 */
export class SignstreamError extends Error {
  constructor(message, code, status = 0) {
    super(message);
    this.name = "SignstreamError";
    this.code = code;
    this.status = status;
  }
}

export function bearing(token) {
  return token ? { Authorization: `Bearer ${token}` } : {};
}

export function unreachable() {
  return new SignstreamError("The server cannot be reached. Is it running?", "unreachable");
}

/** @param {string} body what a server said with a status of 4xx or 5xx */
export function refused(status, body) {
  let said = "";
  try {
    said = JSON.parse(body).error;
  } catch {
    // A proxy before the server answers in HTML.
  }
  return new SignstreamError(said || `The server answered ${status}.`, "refused", status);
}

/** @throws {SignstreamError} */
export async function ask(server, path, request) {
  let response;
  try {
    response = await fetch(server + path, request);
  } catch {
    throw unreachable();
  }
  if (!response.ok) throw refused(response.status, await response.text());
  return response;
}
