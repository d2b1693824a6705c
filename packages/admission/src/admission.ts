import type { BreakerFailure, BreakerView } from "@sluice/core/breaker/breaker";
import type { BreakerState, CoolDown } from "@sluice/core/events";
import type { CostWindows } from "@sluice/core/limits/cost-windows";
import type { LimitKind, LimitOwner, LimitValues } from "@sluice/core/limits/limit-values";
import type { OwnerUsage } from "./limit-keeper.ts";
import type { WaitSignal } from "./waiting-lines.ts";

/** What stands against a request, and where it can be changed. */
export interface Refusal {
  limit: LimitKind;
  owner: LimitOwner;
  ownerId: string;
  /** The limit's value; of a cost in nano-USD. */
  value: number;
  /** What is used and reserved of it. */
  used: number;
  /** What the request may cost at most, nano-USD. */
  wantedNanoUsd: number;
  /** When the clock makes room, ms since the epoch; null = it does not. */
  resetAtMs: number | null;
  /** Seconds until another try makes sense; null = not before something is changed. */
  retryAfterS: number | null;
}

/** An owner and its limits as they are set; the object stands for one configuration and never changes. */
export interface LimitedOwner {
  owner: LimitOwner;
  id: string;
  values: Partial<LimitValues>;
}

interface Ask {
  requestId: string;
  startedAtMs: number;
  /** Tokens, estimated: what is really used is booked when it is known. */
  tokens: number;
}

export interface AdmitAsk extends Ask {
  /** Key, user, group: in this order, those that there are. */
  owners: readonly LimitedOwner[];
  /** The most that the request may cost, nano-USD: reserved until it is settled. */
  costNanoUsd: number;
  /** Aborted when the client leaves: whoever waits in line then leaves it. */
  signal?: WaitSignal;
}

export interface ProviderAsk extends Ask {
  /** In the order to be tried, each with the most that it may cost upstream. */
  candidates: readonly (LimitedOwner & { costNanoUsd: number })[];
}

/** What a request really used. */
export interface Used {
  costNanoUsd: number;
  tokens: number;
}

/** Limits of rate, of requests in flight and of cost: the same books on Redis and in process. */
export interface Limits {
  /**
   * Takes every limit of all owners together or none. null = there is no limit and nothing was taken; a promise of null =
   * admitted: what is held lives until `settle` or `release`, or expires with its process. A refusal needs no release.
   * @throws SluiceError `unavailable` when what was spent is known nowhere.
   */
  admit(ask: AdmitAsk): Promise<Refusal | null> | null;
  /** Takes the first candidate that has room: its index, or why not the first. To be asked only when one of them has limits. */
  admitProvider(ask: ProviderAsk): Promise<{ taken: number; refusal: null } | { taken: null; refusal: Refusal }>;
  /** Ends a request: what was reserved becomes what it cost. Idempotent; never throws. */
  settle(requestId: string, used: Used): void;
  settleProvider(requestId: string, providerId: string, used: Used): void;
  /** Ends a request that used nothing. Idempotent; never throws. */
  release(requestId: string): void;
  /**
   * What an owner uses now, over all instances; takes nothing. What it has spent is read from the ledger when it is not known.
   * Never throws: without Redis it is this process's part.
   */
  usage(owner: LimitedOwner): Promise<OwnerUsage>;
  /** The windows of cost in force. */
  windows(): CostWindows;
  /** Whose cost is limited by the configuration in force: told at the start and at every change. */
  know(owners: readonly LimitedOwner[]): void;
  /** By how much the worst sum was off when it was last brought in line with the ledger, nano-USD. */
  driftNanoUsd(): number;
}

/** Limits, breakers and stickiness: one contract kept by Lua on Redis and by its in-process twin. Who has no limits costs no await. */
export interface Admission extends Limits {
  breakers: Breakers;
  coolDowns: CoolDowns;
  sticky: Sticky;
  loads: Loads;
  close(): Promise<void>;
}

/** Credentials of providers that were refused and are left alone for a while. Local knowledge, no I/O, never throws. */
export interface CoolDowns {
  /** ms since the epoch; 0 = it may be used. */
  untilMs(providerId: string, label: string): number;
  /** Here and, by message, on every instance. */
  cool(coolDown: CoolDown): void;
  /** Another instance's. The later end counts. */
  receive(coolDown: CoolDown): void;
  /** Forgets those of a provider, here. */
  reset(providerId: string): void;
  /** Those that are not over. */
  list(): CoolDown[];
}

/** A breaker per provider × model, shared over instances. */
export interface Breakers {
  /** Local knowledge, no I/O: `open` excludes the provider, `tripped` unless it is the last one; `probe` = due, but must be taken first. */
  stateOf(providerId: string, model: string): BreakerView;
  /** Closed, and nothing failed there for a minute or since the last success. */
  isWell(providerId: string, model: string): boolean;
  /** Until an open breaker lets a probe through, ms; 0 unless open. */
  dueInMs(providerId: string, model: string): number;
  /** Takes one of the shared probes of a due breaker. False: others have them all. */
  takeProbe(providerId: string, model: string): Promise<boolean>;
  /** How often others had them all, since the start. */
  probeConflicts(): number;
  /** Never throws, never awaited. The cause is shown to admins. Client errors and aborts must not be reported. */
  succeeded(providerId: string, model: string): void;
  failed(providerId: string, model: string, failure: BreakerFailure): void;
  /** Closes every breaker of a provider, here and on every instance. Never throws, never awaited. */
  reset(providerId: string): void;
  /** All that are not closed with zero failures. */
  list(): BreakerState[];
}

/** What this process has at each provider, and how quick they are to it. */
export interface Loads {
  began(providerId: string): void;
  ended(providerId: string): void;
  /** It gave its first content after so long. */
  answered(providerId: string, ttftMs: number): void;
  /** It gave none and was to blame: counts as a very slow answer, or one that fails at once would look quick. */
  failed(providerId: string): void;
  /** `ttftMs` is what is to be expected; null = nothing was measured yet. */
  of(providerId: string): { inFlight: number; ttftMs: number | null };
}

/** Of the bindings in process; counts since the start. */
export interface StickyStats {
  size: number;
  max: number;
  hits: number;
  misses: number;
  /** Least recently used ones that made room for others. */
  evicted: number;
  expired: number;
}

/** The provider a session was last served well by; at most 10,000 in process, life sliding. */
export interface Sticky {
  /** Local first; on a miss one shared read (null without Redis or on its failure). */
  find(sessionId: string): Promise<string | null> | string | null;
  /** As `find`, but leaves no trace: for those who only want to know. */
  peek(sessionId: string): Promise<string | null>;
  /** Written to Redis asynchronously. */
  bind(sessionId: string, providerId: string): void;
  /** Forgets it here and in Redis: the session's next request is routed anew. Other instances keep what they hold in memory. */
  unbind(sessionId: string): void;
  stats(): StickyStats;
}
