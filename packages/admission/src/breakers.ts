import {
  type Breaker,
  type BreakerPolicy,
  breakerView,
  closedBreaker,
  failBreaker,
  maxOpenMs,
  resetBreaker,
  succeedBreaker,
  successesToClose,
  takeBreakerProbe,
  tripBreaker,
} from "@sluice/core/breaker/breaker";
import type { Clock } from "@sluice/core/clock";
import type { BreakerState } from "@sluice/core/events";
import type { RedisGate } from "@sluice/db/redis-gate";
import type { Breakers } from "./admission.ts";
import { createFailureRates, type FailureShare, minRequests } from "./failure-rates.ts";
import {
  type BreakerChange,
  type BreakerMessage,
  type BreakerReply,
  changeShared,
  listShared,
  type SharedBreaker,
} from "./shared-breakers.ts";

export interface BreakersOptions {
  /** null = a single process. */
  gate: RedisGate | null;
  clock: Clock;
  policy: (providerId: string) => BreakerPolicy;
  /** Failure rate in percent that opens a breaker; 0 = never. */
  ratePercent: (providerId: string) => number;
  /** Called only on the instance that made the change. */
  onTransition: (breaker: BreakerState) => void;
  instanceId: string;
}

/** What admission itself uses beyond the public contract. */
export interface BreakerMirror extends Breakers {
  /** Handles a change announced by another instance. */
  receive(message: BreakerMessage): void;
  /** Reads all shared breakers, and writes back what Redis missed or lost. Never throws. */
  refresh(): Promise<void>;
}

/** Times are by this process's clock. */
interface Entry {
  breaker: Breaker;
  rev: number;
  /** Changed while Redis was unavailable. */
  unsent: boolean;
}

const MAX_ENTRIES = 10_000;
const MAX_CAUSE = 300;
/** A failure without another one after it for this long means nothing. */
const WELL_AGAIN_MS = 60_000;
/** A closed breaker without failures is kept this long, so that a late announcement of an older state is recognised as such. */
const TOMBSTONE_MS = 60_000;

/**
 * Every decision is made on the mirror in this process. Redis is where instances change a breaker together; the mirror
 * follows its replies, its announcements and a periodic refresh. Without Redis, the mirror is the breaker.
 */
export function createBreakers({ gate, clock, policy, ratePercent, onTransition, instanceId }: BreakersOptions): BreakerMirror {
  const entries = new Map<string, Entry>();
  const policyOf = (id: string): BreakerPolicy => policy(id.slice(0, id.indexOf("|")));
  const rates = createFailureRates(clock);
  const shared = (): RedisGate | null => (gate?.isOpen() ? gate : null);

  const write = (id: string, entry: Entry): void => {
    if (entries.size >= MAX_ENTRIES && !entries.has(id)) evict(entries);
    entries.set(id, entry);
  };

  const changeLocally = (id: string, change: (breaker: Breaker) => Breaker | null): boolean => {
    const entry = entries.get(id);
    const before = entry?.breaker ?? closedBreaker;
    const next = change(before);
    if (next === null) return false;
    if (next === before) return true;
    write(id, { breaker: next, rev: Math.max((entry?.rev ?? 0) + 1, clock.now() * 1000), unsent: gate !== null });
    if (next.state !== before.state) onTransition(stateOf(id, next));
    return true;
  };

  /** Adopts what is newer than the mirror's state or, if so asked, replaces a change made while Redis was unavailable. */
  const adopt = (id: string, remote: SharedBreaker, remoteNowMs: number, { replacesUnsent }: { replacesUnsent: boolean }): Breaker => {
    const { rev, ...times } = remote;
    const offset = clock.now() - remoteNowMs;
    // Lua encodes an empty table as a JSON object, and older versions have no such field.
    const out = Array.isArray(times.probesUntilMs) ? times.probesUntilMs : [];
    const breaker = {
      ...times,
      probeAtMs: times.probeAtMs && times.probeAtMs + offset,
      probesUntilMs: out.map((untilMs) => untilMs + offset),
    };
    const entry = entries.get(id);
    const isNews = !entry || Number(rev) > entry.rev || (entry.unsent && replacesUnsent);
    if (isNews) write(id, { breaker, rev: Number(rev), unsent: false });
    return breaker;
  };

  const ask = async (redis: RedisGate, change: Omit<BreakerChange, "origin" | "policy">): Promise<BreakerReply> => {
    const reply = await redis.run((connection) => changeShared(connection, { ...change, origin: instanceId, policy: policyOf(change.id) }));
    const breaker = adopt(reply.id, reply.breaker, reply.now, { replacesUnsent: true });
    if (change.op !== "put" && reply.before !== breaker.state) onTransition(stateOf(reply.id, breaker));
    return reply;
  };

  const change = (
    id: string,
    sent: { op: "fail" | "trip" | "succeed" | "reset"; text?: string; retryAfterMs?: number },
    locally: (breaker: Breaker) => Breaker,
  ): void => {
    const before = entries.get(id)?.breaker ?? closedBreaker;
    // What changes nothing here changes nothing in Redis: the mirror knows every failure, wherever it happened.
    if (locally(before) === before) return;
    const redis = shared();
    if (!redis) changeLocally(id, locally);
    else void ask(redis, { ...sent, id }).catch(() => changeLocally(id, locally));
  };

  let probeConflicts = 0;
  const counted = (won: boolean): boolean => {
    if (!won) probeConflicts += 1;
    return won;
  };

  return {
    probeConflicts: () => probeConflicts,
    stateOf(providerId, model) {
      if (entries.size === 0) return "closed";
      const entry = entries.get(idOf(providerId, model));
      return entry ? breakerView(entry.breaker, clock.now(), policy(providerId)) : "closed";
    },
    isWell(providerId, model) {
      const entry = entries.get(idOf(providerId, model));
      if (!entry) return true;
      const { state, failures } = entry.breaker;
      // A rev is the time of its change in µs, or slightly more.
      return state === "closed" && (failures === 0 || clock.now() - entry.rev / 1_000 > WELL_AGAIN_MS);
    },
    dueInMs(providerId, model) {
      const breaker = entries.get(idOf(providerId, model))?.breaker;
      return breaker?.state === "open" ? Math.max(0, breaker.probeAtMs - clock.now()) : 0;
    },
    async takeProbe(providerId, model) {
      const id = idOf(providerId, model);
      const view = breakerView(entries.get(id)?.breaker ?? closedBreaker, clock.now(), policyOf(id));
      if (view !== "probe") return view === "closed";
      const redis = shared();
      if (redis) {
        try {
          return counted((await ask(redis, { op: "probe", id })).won);
        } catch {
          // Redis has just become unavailable: this process decides.
        }
      }
      return counted(changeLocally(id, (breaker) => takeBreakerProbe(breaker, clock.now(), policyOf(id))));
    },
    succeeded(providerId, model) {
      const id = idOf(providerId, model);
      if (ratePercent(providerId) > 0) rates.note(id, "success");
      change(id, { op: "succeed" }, succeedBreaker);
    },
    failed(providerId, model, { cause, retryAfterMs = 0 }) {
      const id = idOf(providerId, model);
      const text = cause.slice(0, MAX_CAUSE);
      const failure = { cause: text, retryAfterMs: Math.min(maxOpenMs, Math.max(0, retryAfterMs)) };
      change(id, { op: "fail", text, retryAfterMs: failure.retryAfterMs }, (breaker) =>
        failBreaker(breaker, clock.now(), policyOf(id), failure),
      );
      if (ratePercent(providerId) > 0) tripAbove(id, ratePercent(providerId), rates.note(id, "failure"), text);
    },
    reset(providerId) {
      for (const id of [...entries.keys()]) {
        if (!id.startsWith(idOf(providerId, ""))) continue;
        rates.forget(id);
        change(id, { op: "reset" }, resetBreaker);
      }
    },
    list: () =>
      [...entries]
        .filter(([, { breaker }]) => breaker.state !== "closed" || breaker.failures > 0)
        .map(([id, { breaker }]) => stateOf(id, breaker)),
    receive(message) {
      if (message.origin !== instanceId) adopt(message.id, message.breaker, message.now, { replacesUnsent: false });
    },
    async refresh() {
      const redis = shared();
      try {
        if (redis) await reconcile(redis);
      } catch {
        // The gate has counted the failure; the next refresh tries again.
      }
      for (const [id, { breaker, rev }] of entries) {
        if (breaker.state === "closed" && breaker.failures === 0 && rev < (clock.now() - TOMBSTONE_MS) * 1000) entries.delete(id);
      }
    },
  };

  /** Opens a breaker whose failures are frequent but mixed with successes, which consecutive failures never detect. */
  function tripAbove(id: string, percent: number, share: FailureShare, lastCause: string): void {
    if (share.requests < minRequests || share.failures * 100 < percent * share.requests) return;
    rates.forget(id);
    const text = `${share.failures} of ${share.requests} requests of the last minute failed; ${lastCause}`.slice(0, MAX_CAUSE);
    change(id, { op: "trip", text }, (breaker) => tripBreaker(breaker, clock.now(), policyOf(id), text));
  }

  async function reconcile(redis: RedisGate): Promise<void> {
    const { now, breakers } = await redis.run(listShared);
    const known = new Map(breakers.map(({ id, breaker }) => [id, breaker]));
    for (const [id, entry] of entries) {
      const remote = known.get(id);
      const isLost = !remote && entry.breaker.state !== "closed";
      if (isLost || (entry.unsent && (!remote || Number(remote.rev) < entry.rev))) {
        await ask(redis, { op: "put", id, text: JSON.stringify(relative(entry, clock.now())) });
        known.delete(id);
      }
    }
    for (const [id, breaker] of known) adopt(id, breaker, now, { replacesUnsent: true });
  }
}

const idOf = (providerId: string, model: string): string => `${providerId}|${model}`;

function stateOf(id: string, breaker: Breaker): BreakerState {
  const cut = id.indexOf("|");
  return {
    providerId: id.slice(0, cut),
    model: id.slice(cut + 1),
    state: breaker.state,
    failures: breaker.failures,
    probeAtMs: breaker.state === "open" ? breaker.probeAtMs : null,
    cause: breaker.cause,
    ...(breaker.state === "half_open" && {
      successes: breaker.successes,
      successesToClose,
      probeUntilMs: breaker.probesUntilMs.at(-1) ?? null,
    }),
  };
}

/** Times as offsets from now, because the other clock may differ; at least 1, since 0 means none. */
function relative({ breaker, rev }: Entry, nowMs: number): SharedBreaker {
  const span = (atMs: number): number => (atMs === 0 ? 0 : Math.max(1, atMs - nowMs));
  return { ...breaker, probeAtMs: span(breaker.probeAtMs), probesUntilMs: breaker.probesUntilMs.map(span), rev: String(rev) };
}

/** Makes room: removes a closed one if there is any, else the oldest. */
function evict(entries: Map<string, Entry>): void {
  for (const [id, { breaker }] of entries) {
    if (breaker.state !== "closed") continue;
    entries.delete(id);
    return;
  }
  const oldest = entries.keys().next();
  if (!oldest.done) entries.delete(oldest.value);
}
