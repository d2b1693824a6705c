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
import { SluiceError } from "@sluice/core/errors";
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
  rememberedMs,
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
  /** Timeout of the gate's commands. */
  commandMs: number;
  /** For tests: replaces Redis' clock. */
  testNow?: (() => number) | undefined;
}

/** What admission itself uses beyond the public contract. */
export interface BreakerMirror extends Breakers {
  /** Handles a change announced by another instance. */
  receive(message: BreakerMessage): void;
  /** Reads all shared breakers, and writes back what Redis missed or lost. Never throws. */
  refresh(): Promise<void>;
}

interface Entry {
  /** Times are by this process's steady clock. */
  breaker: Breaker;
  /** When it changed by Redis' clock, µs, or slightly more: the newest state of a breaker is the one with the highest. */
  rev: number;
}

const MAX_ENTRIES = 10_000;
const MAX_CAUSE = 300;
/** A failure without another one after it for this long means nothing. */
const WELL_AGAIN_MS = 60_000;

/**
 * Every decision is made on the mirror in this process. Redis is where instances change a breaker together; the mirror
 * follows its replies, its announcements and a periodic refresh. Without Redis, the mirror is the breaker.
 */
export function createBreakers(options: BreakersOptions): BreakerMirror {
  const { gate, clock, policy, ratePercent, onTransition, instanceId, commandMs, testNow } = options;
  const entries = new Map<string, Entry>();
  const policyOf = (id: string): BreakerPolicy => policy(id.slice(0, id.indexOf("|")));
  const rates = createFailureRates(clock);
  const shared = (): RedisGate | null => (gate?.isOpen() ? gate : null);
  const startedMs = clock.now() - clock.monotonic();
  /** Starts as wall time and is steady from then on: a clock that is set back must not keep a provider out for longer. */
  const now = (): number => Math.floor(clock.monotonic() + startedMs);
  /** What is shown is wall time; to the second, so that the same moment is shown as the same. */
  const shown = (id: string, breaker: Breaker): BreakerState => stateOf(id, breaker, Math.round((clock.now() - now()) / 1_000) * 1_000);
  /** Redis' clock minus this process's monotonic one, by the last reply. Slightly too high: by the time the command took to get there. */
  let redisAheadMs: number | null = null;
  const redisNow = (): number => (redisAheadMs === null ? now() : clock.monotonic() + redisAheadMs);
  const unchangedMs = ({ rev }: Entry): number => redisNow() - rev / 1_000;
  /** The last change of a breaker, until it is made: the mirror does not know its state until then. */
  const pending = new Map<string, Promise<void>>();

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
    write(id, { breaker: next, rev: Math.max((entry?.rev ?? 0) + 1, Math.floor(redisNow() * 1000)) });
    if (next.state !== before.state) onTransition(shown(id, next));
    return true;
  };

  /**
   * Adopts what is newer than the mirror's state. `offset`: this process's clock minus Redis'. A fresh one is Redis' answer: it also
   * corrects the times of what is known, for announcements arrive late, and steady clocks stand still while a machine sleeps.
   */
  const adopt = (id: string, remote: SharedBreaker, offset: number, { isFresh }: { isFresh: boolean }): Breaker => {
    const { rev, ...times } = remote;
    // Lua encodes an empty table as a JSON object, and older versions have no such field.
    const out = Array.isArray(times.probesUntilMs) ? times.probesUntilMs : [];
    const breaker = {
      ...times,
      probeAtMs: times.probeAtMs && times.probeAtMs + offset,
      probesUntilMs: out.map((untilMs) => untilMs + offset),
    };
    const known = entries.get(id);
    const isNewer = !known || Number(rev) > known.rev;
    if (isNewer || (isFresh && Number(rev) === known.rev && areApart(breaker, known.breaker))) write(id, { breaker, rev: Number(rev) });
    return breaker;
  };

  const ask = async (redis: RedisGate, change: Omit<BreakerChange, "origin" | "policy" | "own" | "deadlineMs">): Promise<BreakerReply> => {
    const { id, op } = change;
    const entry = entries.get(id);
    const sentMs = clock.monotonic();
    const sent = {
      ...change,
      origin: instanceId,
      policy: policyOf(id),
      own: entry ? relative(entry, now()) : null,
      deadlineMs: redisAheadMs === null ? null : Math.ceil(sentMs + redisAheadMs + commandMs),
    };
    const reply = await redis.run((connection) => changeShared(connection, sent, testNow));
    redisAheadMs = reply.now - sentMs;
    const breaker = adopt(id, reply.breaker, now() - reply.now, { isFresh: true });
    // Only a clock that has jumped can make it late for a sender who still waits.
    if (reply.late) throw new SluiceError("unavailable", { detail: "Redis: too late" });
    if (op !== "put" && reply.before !== breaker.state) onTransition(shown(id, breaker));
    return reply;
  };

  const change = (
    id: string,
    sent: { op: "fail" | "trip" | "succeed" | "reset"; cause?: string; retryAfterMs?: number },
    locally: (breaker: Breaker) => Breaker,
  ): void => {
    const before = entries.get(id)?.breaker ?? closedBreaker;
    const earlier = pending.get(id);
    // What changes nothing here changes nothing in Redis: the mirror knows every failure, wherever it happened, but for pending changes.
    if (!earlier && locally(before) === before) return;
    const redis = shared();
    if (!redis && !earlier) {
      changeLocally(id, locally);
      return;
    }
    const alone = async (): Promise<void> => {
      await earlier;
      changeLocally(id, locally);
    };
    const made: Promise<void> = (redis ? ask(redis, { ...sent, id }).then(() => undefined, alone) : alone()).finally(() => {
      if (pending.get(id) === made) pending.delete(id);
    });
    pending.set(id, made);
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
      return entry ? breakerView(entry.breaker, now(), policy(providerId)) : "closed";
    },
    isWell(providerId, model) {
      const entry = entries.get(idOf(providerId, model));
      if (!entry) return true;
      const { state, failures } = entry.breaker;
      return state === "closed" && (failures === 0 || unchangedMs(entry) > WELL_AGAIN_MS);
    },
    dueInMs(providerId, model) {
      const breaker = entries.get(idOf(providerId, model))?.breaker;
      return breaker?.state === "open" ? Math.max(0, breaker.probeAtMs - now()) : 0;
    },
    async takeProbe(providerId, model) {
      const id = idOf(providerId, model);
      const view = breakerView(entries.get(id)?.breaker ?? closedBreaker, now(), policyOf(id));
      if (view !== "probe") return view === "closed";
      const redis = shared();
      if (redis) {
        try {
          return counted((await ask(redis, { op: "probe", id })).won);
        } catch {
          // Redis has just become unavailable: this process decides.
        }
      }
      return counted(changeLocally(id, (breaker) => takeBreakerProbe(breaker, now(), policyOf(id))));
    },
    succeeded(providerId, model) {
      const isRated = ratePercent(providerId) > 0;
      // Nearly always: then there is nothing to change.
      if (!isRated && entries.size + pending.size === 0) return;
      const id = idOf(providerId, model);
      if (isRated) rates.note(id, "success");
      change(id, { op: "succeed" }, succeedBreaker);
    },
    failed(providerId, model, { cause, retryAfterMs = 0 }) {
      const id = idOf(providerId, model);
      const text = cut(cause);
      const failure = { cause: text, retryAfterMs: Math.min(maxOpenMs, Math.max(0, retryAfterMs)) };
      change(id, { op: "fail", cause: text, retryAfterMs: failure.retryAfterMs }, (breaker) =>
        failBreaker(breaker, now(), policyOf(id), failure),
      );
      if (ratePercent(providerId) > 0) tripAbove(id, ratePercent(providerId), rates.note(id, "failure"), text);
    },
    reset(providerId) {
      for (const id of new Set([...entries.keys(), ...pending.keys()])) {
        if (!id.startsWith(idOf(providerId, ""))) continue;
        rates.forget(id);
        change(id, { op: "reset" }, resetBreaker);
      }
    },
    list: () =>
      [...entries]
        .filter(([, { breaker }]) => breaker.state !== "closed" || breaker.failures > 0)
        .map(([id, { breaker }]) => shown(id, breaker)),
    receive(message) {
      if (message.origin !== instanceId) adopt(message.id, message.breaker, now() - message.now, { isFresh: false });
    },
    async refresh() {
      for (const [id, entry] of entries) if (unchangedMs(entry) > rememberedMs(entry.breaker)) entries.delete(id);
      const redis = shared();
      try {
        if (redis) await reconcile(redis);
      } catch {
        // The gate has counted the failure; the next refresh tries again.
      }
    },
  };

  /** Opens a breaker whose failures are frequent but mixed with successes, which consecutive failures never detect. */
  function tripAbove(id: string, percent: number, share: FailureShare, lastCause: string): void {
    if (share.requests < minRequests || share.failures * 100 < percent * share.requests) return;
    rates.forget(id);
    const text = `${share.failures} of ${share.requests} requests of the last minute failed; ${lastCause}`;
    change(id, { op: "trip", cause: cut(text) }, (breaker) => tripBreaker(breaker, now(), policyOf(id), cut(text)));
  }

  async function reconcile(redis: RedisGate): Promise<void> {
    const sentMs = clock.monotonic();
    const { breakers, ...listed } = await redis.run((connection) => listShared(connection, testNow));
    redisAheadMs = listed.now - sentMs;
    const offset = now() - listed.now;
    for (const { id, breaker } of breakers) adopt(id, breaker, offset, { isFresh: true });
    const revs = new Map(breakers.map(({ id, breaker }) => [id, Number(breaker.rev)]));
    // What Redis has lost, and what happened while it was away.
    for (const [id, { rev }] of entries) if ((revs.get(id) ?? -1) < rev) await ask(redis, { op: "put", id });
  }
}

/** A surrogate that the cut has left alone is replaced, since Redis' JSON decoder rejects it. */
const cut = (cause: string): string => cause.slice(0, MAX_CAUSE).toWellFormed();

const idOf = (providerId: string, model: string): string => `${providerId}|${model}`;

function stateOf(id: string, breaker: Breaker, addedMs: number): BreakerState {
  const cut = id.indexOf("|");
  const probeUntilMs = breaker.probesUntilMs.at(-1);
  return {
    providerId: id.slice(0, cut),
    model: id.slice(cut + 1),
    state: breaker.state,
    failures: breaker.failures,
    probeAtMs: breaker.state === "open" ? breaker.probeAtMs + addedMs : null,
    cause: breaker.cause,
    ...(breaker.state === "half_open" && {
      successes: breaker.successes,
      successesToClose,
      probeUntilMs: probeUntilMs === undefined ? null : probeUntilMs + addedMs,
    }),
  };
}

/** Whether the times of the same state differ by more than what a message takes. */
function areApart(one: Breaker, other: Breaker): boolean {
  const nextMs = ({ probeAtMs, probesUntilMs }: Breaker): number => probesUntilMs[0] ?? probeAtMs;
  return Math.abs(nextMs(one) - nextMs(other)) > 1_000;
}

/** Times as offsets from now, because the other clock may differ. */
function relative({ breaker, rev }: Entry, nowMs: number): SharedBreaker {
  const probeAtMs = breaker.state === "open" ? breaker.probeAtMs - nowMs : 0;
  return { ...breaker, probeAtMs, probesUntilMs: breaker.probesUntilMs.map((untilMs) => untilMs - nowMs), rev: String(rev) };
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
