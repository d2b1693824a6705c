import type { Services } from "../context.ts";

/**
 * Ends streams and forgets cached logins when a user's rights change anywhere: by the snapshot (role, disabled) and by
 * `user.changed` on the bus (also sent by a sign-out). A gap or reset on the bus may have hidden such an event, so then
 * everybody is authorised anew. Returns what stops it.
 */
export function watchRights(services: Services): () => Promise<void> {
  const { logins, live, snapshot, log } = services;
  const stop = new AbortController();
  const forget = (userId: string): void => {
    logins.forgetUser(userId);
    live.frames.disconnect(userId);
  };
  const unsubscribe = snapshot.onChange((config, previous) => {
    for (const [id, was] of previous.users) {
      const is = config.users.get(id);
      if (!is || is.role !== was.role || is.enabled !== was.enabled) forget(id);
    }
  });
  const follow = async (): Promise<void> => {
    for await (const frame of live.frames.subscribe({ kind: "admin", userId: "rights" }, "", stop.signal)) {
      if (frame.reset || frame.gap) {
        logins.clear();
        for (const end of [...services.streams]) end();
      }
      for (const event of frame.events) if (event.type === "user.changed") forget(event.userId ?? event.id);
    }
  };
  const following = follow().catch((thrown: unknown) => {
    // Shutdown ends every subscription by an AbortError.
    if (!stop.signal.aborted && !(thrown instanceof Error && thrown.name === "AbortError")) {
      log.error({ error: String(thrown) }, "changes of rights are no longer followed on the bus");
    }
  });
  return async () => {
    unsubscribe();
    stop.abort();
    await following;
  };
}
