/** `#token=…` for servers with keys: in the fragment, which no server is told and none can log. */

export const token = new URLSearchParams(location.hash.slice(1)).get("token") ?? "";

/** Headers of a request that needs it. */
export function bearing() {
  return token ? { Authorization: `Bearer ${token}` } : {};
}
