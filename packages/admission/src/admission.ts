import type { BreakerState } from "@sluice/core/events";

/** What stands against a request, and where it can be changed. */
export interface Refusal {
  limit: "in_flight" | "rpm";
  owner: "key";
  ownerId: string;
  /** The limit's value. */
  value: number;
  /** Seconds until another try makes sense. */
  retryAfterS: number;
}

export interface KeyLimits {
  keyId: string;
  rpm: number | null;
  inFlight: number | null;
}

/** Only what is limited is counted: a key without a limit of a kind uses none of it. */
export interface KeyUsage {
  inFlight: number;
  /** Requests of the running second and the 60 before it, by second of the epoch, oldest first; each leaves after 61 s. */
  rate: { second: number; count: number }[];
}

/**
 * Leases, rates, breakers and stickiness: one contract kept by Lua on Redis and by its in-process twin. A key without
 * limits costs no await.
 */
export interface Admission {
  /**
   * Takes every limit of the key together or none. null = the key has no limits and nothing was taken; a promise of
   * null = admitted: the lease lives until `release`, or expires with its process. A refusal needs no release.
   */
  admit(requestId: string, limits: KeyLimits): Promise<Refusal | null> | null;
  /** Idempotent; never throws. */
  release(requestId: string): void;
  /** What of its limits a key uses now, over all instances; takes and changes nothing. Never throws: without Redis it is this process's part. */
  usage(keyId: string): Promise<KeyUsage>;
  breakers: Breakers;
  sticky: Sticky;
  close(): Promise<void>;
}

/** A breaker per provider × model, shared over instances. */
export interface Breakers {
  /** Local knowledge, no I/O: `open` excludes the provider; `probe` = due, but must be taken first. */
  stateOf(providerId: string, model: string): "closed" | "open" | "probe";
  /** Takes the one shared probe of a due breaker. False: somebody else has it. */
  takeProbe(providerId: string, model: string): Promise<boolean>;
  /** Never throws, never awaited. `cause` is shown to admins. Client errors and aborts must not be reported. */
  succeeded(providerId: string, model: string): void;
  failed(providerId: string, model: string, cause: string): void;
  /** Closes every breaker of a provider, here and on every instance. Never throws, never awaited. */
  reset(providerId: string): void;
  /** All that are not closed with zero failures. */
  list(): BreakerState[];
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
}
