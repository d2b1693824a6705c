import type { Services } from "../context.ts";

/**
 * Ends streams and forgets cached logins when the snapshot says that the role or state of a user, or a key, changed, wherever that was
 * done and however this process heard of it. (`user.changed` on the bus ends streams by itself, see live/frames.)
 * Returns what stops it.
 */
export function watchRights({ logins, live, snapshot }: Services): () => void {
  return snapshot.onChange((config, previous) => {
    for (const [id, was] of previous.users) {
      const is = config.users.get(id);
      if (is && is.role === was.role && is.enabled === was.enabled) continue;
      logins.forgetUser(id);
      live.frames.disconnect(id);
    }
    // Who signed in by a key that is no more, or not in force, comes back and is judged anew.
    for (const [sha256, was] of previous.keysBySha256) {
      const is = config.keysBySha256.get(sha256);
      if (is?.enabled !== was.enabled || is.expiresAtMs !== was.expiresAtMs) live.frames.disconnect(was.userId);
    }
  });
}
