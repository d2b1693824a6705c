import type { Services } from "../context.ts";

/**
 * Ends streams and forgets cached logins when the snapshot shows a changed role or state of a user, or a changed key, however the change
 * reached this process. (`user.changed` on the bus also ends streams, see live/frames.) Returns a function that stops it.
 */
export function watchRights({ logins, live, snapshot }: Services): () => void {
  return snapshot.onChange((config, previous) => {
    for (const [id, was] of previous.users) {
      const is = config.users.get(id);
      if (is && is.role === was.role && is.enabled === was.enabled) continue;
      logins.forgetUser(id);
      live.frames.disconnect(id);
    }
    // A login by a key that is now gone or invalid must reconnect, and is then checked again.
    for (const [sha256, was] of previous.keysBySha256) {
      const is = config.keysBySha256.get(sha256);
      if (is?.enabled !== was.enabled || is.expiresAtMs !== was.expiresAtMs) live.frames.disconnect(was.userId);
    }
  });
}
