import type { LiveEvent } from "@sluice/core/events";
import { api, queryClient, whenChanged } from "../api/client.ts";
import type { CurrentLogin, SignedIn } from "../api/current-login.ts";
import { listen, startLive } from "./hub.ts";

/**
 * The queries that a pushed change makes stale. Each noun is reloaded once, however many events name it; queries that nobody looks at are
 * only marked.
 */
const keysOf: Record<string, () => readonly (readonly unknown[])[]> = {
  "provider.changed": () => [api.providers.pathKey(), api.names.list.queryKey()],
  "key.changed": () => [api.keys.pathKey(), api.users.pathKey(), api.names.list.queryKey()],
  "user.changed": () => [api.users.pathKey(), api.names.list.queryKey()],
  "group.changed": () => [api.groups.pathKey()],
  "price.changed": () => [api.prices.pathKey()],
  "quarantine.changed": () => [api.quarantine.pathKey(), api.system.pathKey()],
  "credit.changed": () => [api.credits.pathKey(), api.users.pathKey()],
  "alert.fired": () => [api.alerts.open.queryKey()],
  "alert.resolved": () => [api.alerts.pathKey()],
  "alert.changed": () => [api.alerts.pathKey()],
  "settings.changed": () => [api.settings.pathKey(), api.providers.bootstrap.queryKey(), api.prices.source.queryKey()],
};

/** The push that follows a change made here, by the noun of the procedure. Other nouns are reloaded under their own name. */
const pushOf: Record<string, string> = {
  providers: "provider.changed",
  keys: "key.changed",
  users: "user.changed",
  groups: "group.changed",
  prices: "price.changed",
  credits: "credit.changed",
  settings: "settings.changed",
  quarantine: "quarantine.changed",
  alerts: "alert.changed",
};

/** Changes come in bursts (when a configuration file is applied) and are gathered for this time. */
const GATHER_MS = 250;

let timer: ReturnType<typeof setTimeout> | undefined;
const stale = new Set<string>();
let listening = false;

/** Starts the stream for the signed-in user, from the position of the login, and with it the refetching. */
export function listenFor({ user, busId }: SignedIn): void {
  if (!listening) {
    listen({ events, reset: markAll });
    // Gathered with the push about the same change, so that it causes one more read instead of two.
    whenChanged((noun) => mark([pushOf[noun] ?? noun]));
  }
  listening = true;
  startLive(user.id, busId, stillAllowed);
}

/** After signing out elsewhere, disabling or a change of role, a new document shows what is allowed now. */
function stillAllowed(login: CurrentLogin): boolean {
  const before = queryClient.getQueryData(api.logins.current.queryKey())?.user;
  if (login.user && login.user.id === before?.id && login.user.role === before.role) return true;
  location.assign(login.user ? "/" : "/login");
  return false;
}

function events(batch: readonly LiveEvent[]): void {
  mark(batch.map(({ type }) => type).filter((type) => type in keysOf));
  if (batch.some(({ type }) => type === "database.returned"))
    void queryClient.invalidateQueries({ predicate: ({ state }) => state.status === "error" });
}

/** After a gap in the stream everything read before may be outdated; the stream itself checks the login. */
function markAll(): void {
  const atMs = Date.now();
  setTimeout(() => {
    void queryClient.invalidateQueries({
      predicate: ({ queryKey: [path], state }) =>
        !(Array.isArray(path) && path[0] === "logins") && state.fetchStatus === "idle" && state.dataUpdatedAt <= atMs,
    });
  }, GATHER_MS);
}

function mark(types: readonly string[]): void {
  if (types.length === 0) return;
  for (const type of types) stale.add(type);
  if (timer !== undefined) return;
  timer = setTimeout(() => {
    timer = undefined;
    const keys = [...stale].flatMap((type) => keysOf[type]?.() ?? [[[type]]]);
    stale.clear();
    // Each list once, however many kinds of change refer to it.
    for (const queryKey of new Map(keys.map((key) => [JSON.stringify(key), key])).values())
      void queryClient.invalidateQueries({ queryKey });
  }, GATHER_MS);
}
