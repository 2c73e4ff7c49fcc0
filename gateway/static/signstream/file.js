/** A file on its way to a session. */

import { bearing, refused, SignstreamError, unreachable } from "./request.js";

/**
 * Sends a file; resolves when the server has all of it. By XMLHttpRequest: fetch tells no progress of what it sends.
 *
 * @throws {SignstreamError}
 */
export async function upload(server, query, video, token, { onSent, signal }) {
  const id = await new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `${server}/videos${query}`);
    for (const [name, value] of Object.entries(bearing(token))) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded, total }) => onSent?.(total ? loaded / total : 0);
    request.onerror = () => reject(unreachable());
    request.onabort = () => reject(new SignstreamError("The sending was broken off.", "aborted"));
    request.onload = () => {
      if (request.status !== 202) reject(refused(request.status, request.responseText));
      else resolve(JSON.parse(request.responseText).session);
    };
    signal?.addEventListener("abort", () => request.abort());
    request.send(video);
  });
  return new UploadedFile(id);
}

/** Nothing of it is left here: it needs no keeping, and cannot be lost. */
class UploadedFile {
  constructor(id) {
    this.id = id;
  }

  lost() {
    return new Promise(() => {});
  }

  doubt() {}

  async stop() {}

  close() {}

  async figures() {
    return null;
  }
}
