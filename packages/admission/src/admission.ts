import type { BreakerFailure, BreakerView } from "@sluice/core/breaker/breaker";
import type { BreakerState, CoolDown } from "@sluice/core/events";
import type { CostWindows } from "@sluice/core/limits/cost-windows";
import type { LimitKind, LimitOwner, LimitValues } from "@sluice/core/limits/limit-values";
import type { OwnerUsage } from "./limit-keeper.ts";
import type { WaitSignal } from "./waiting-lines.ts";

/** Why a request is refused, and which limit is responsible. */
export interface Refusal {
  limit: LimitKind;
  owner: LimitOwner;
  ownerId: string;
  /** The limit's value; nano-USD for a cost limit. */
  value: number;
  /** How much of it is used and reserved. */
  used: number;
  /** The most that the request may cost, nano-USD. */
  wantedNanoUsd: number;
  /** When time alone makes room, ms since the epoch; null = it does not. */
  resetAtMs: number | null;
  /** Seconds until a retry makes sense; null = not before something is changed. */
  retryAfterS: number | null;
}

/** An owner and its configured limits. The object belongs to one configuration and never changes. */
export interface LimitedOwner {
  owner: LimitOwner;
  id: string;
  values: Partial<LimitValues>;
}

interface Ask {
  requestId: string;
  startedAtMs: number;
  /** Estimated; the actual number is booked when it is known. */
  tokens: number;
}

export interface AdmitAsk extends Ask {
  /** Key, user and group, in this order, those that have limits. */
  owners: readonly LimitedOwner[];
  /** The most that the request may cost, nano-USD: reserved until it is settled. */
  costNanoUsd: number;
  /** Aborted when the client leaves, which removes a waiting request from its line. */
  signal?: WaitSignal;
}

export interface ProviderAsk extends Ask {
  /** In the order to try, each with the most that it may cost upstream. */
  candidates: readonly (LimitedOwner & { costNanoUsd: number })[];
}

/** What a request actually used. */
export interface Used {
  costNanoUsd: number;
  tokens: number;
}

/** Limits of rate, requests in flight and cost, kept in the same form on Redis and in process. */
export interface Limits {
  /**
   * Takes every limit of all owners together, or none. null, or a promise of it = admitted: what is held stays until `settle` or
   * `release`, or expires with its process. A promise is returned only when there is something to wait for. A refusal needs no release.
   * @throws SluiceError `unavailable` when what was spent cannot be determined.
   */
  admit(ask: AdmitAsk): Promise<Refusal | null> | null;
  /** Takes the first candidate that has room: its index, or why the first has none. Call it only when one of them has limits. */
  admitProvider(ask: ProviderAsk): Promise<{ taken: number; refusal: null } | { taken: null; refusal: Refusal }>;
  /** Ends a request: its reservations are replaced by the actual cost. Idempotent; never throws. */
  settle(requestId: string, used: Used): void;
  settleProvider(requestId: string, providerId: string, used: Used): void;
  /** Ends a request that used nothing. Idempotent; never throws. */
  release(requestId: string): void;
  /**
   * What an owner uses now, over all instances, without taking anything. Unknown spending is read from the ledger. Never throws:
   * without Redis it is this process's part.
   */
  usage(owner: LimitedOwner): Promise<OwnerUsage>;
  /** The cost windows in force. */
  windows(): CostWindows;
  /** Announces the owners whose cost the current configuration limits: called at the start and at every change. */
  know(owners: readonly LimitedOwner[]): void;
  /** The largest error found in a sum when it was last reconciled with the ledger, nano-USD. */
  driftNanoUsd(): number;
}

/** Limits, breakers and stickiness: one contract, kept by Lua on Redis and by its in-process twin. Without limits nothing is awaited. */
export interface Admission extends Limits {
  breakers: Breakers;
  coolDowns: CoolDowns;
  sticky: Sticky;
  loads: Loads;
  close(): Promise<void>;
}

/** Providers' credentials that were refused and are not used for a while. Local knowledge, no I/O, never throws. */
export interface CoolDowns {
  /** ms since the epoch; 0 = it may be used. */
  untilMs(providerId: string, label: string): number;
  /** Takes effect here and, by message, on every instance. */
  cool(coolDown: CoolDown): void;
  /** From another instance. The later end wins. */
  receive(coolDown: CoolDown): void;
  /** Forgets those of a provider on this instance. */
  reset(providerId: string): void;
  /** Those that are not over. */
  list(): CoolDown[];
}

/**
 * A breaker per provider and model, shared across instances. It survives the loss of Redis' data as long as one instance knows it, and is
 * forgotten when nothing has happened to it for a day, or for an hour while it is closed.
 */
export interface Breakers {
  /** Local knowledge, no I/O: `open` excludes the provider, `tripped` unless it is the last one; `probe` = due, but must be taken. */
  stateOf(providerId: string, model: string): BreakerView;
  /** Closed, and nothing has failed there for a minute or since the last success. */
  isWell(providerId: string, model: string): boolean;
  /** Time until an open breaker lets a probe through, ms; 0 unless open. */
  dueInMs(providerId: string, model: string): number;
  /** Takes one of the shared probes of a due breaker. False: others hold all of them. */
  takeProbe(providerId: string, model: string): Promise<boolean>;
  /** How often others held all of them, since the start. */
  probeConflicts(): number;
  /** Never throws, never awaited. The cause is shown to administrators. Client errors and aborts must not be reported. */
  succeeded(providerId: string, model: string): void;
  failed(providerId: string, model: string, failure: BreakerFailure): void;
  /** Closes every breaker of a provider, here and on every instance. Never throws, never awaited. */
  reset(providerId: string): void;
  /** All except those that are closed without failures. */
  list(): BreakerState[];
}

/** This process's requests at each provider, and how fast the providers answer it. */
export interface Loads {
  began(providerId: string): void;
  ended(providerId: string): void;
  /** Its first content came after this time. */
  answered(providerId: string, ttftMs: number): void;
  /** It gave none and was to blame. Counts as a very slow answer; otherwise one that fails at once would look fast. */
  failed(providerId: string): void;
  /** `ttftMs` is the expected time to first content; null = not measured yet. */
  of(providerId: string): { inFlight: number; ttftMs: number | null };
}

/** The bindings in this process; counts since the start. */
export interface StickyStats {
  size: number;
  max: number;
  hits: number;
  misses: number;
  /** Least recently used bindings that made room for others. */
  evicted: number;
  expired: number;
}

/** The provider that last served a session well; at most 10,000 in process, with a sliding lifetime. */
export interface Sticky {
  /** Local first; on a miss one shared read (null without Redis or when it fails). */
  find(sessionId: string): Promise<string | null> | string | null;
  /** Like `find`, but leaves no trace: for callers that only want to know. */
  peek(sessionId: string): Promise<string | null>;
  /** Written to Redis asynchronously. */
  bind(sessionId: string, providerId: string): void;
  /** Removes it here and in Redis, so that the session's next request is routed again. Other instances keep what they have in memory. */
  unbind(sessionId: string): void;
  stats(): StickyStats;
}
