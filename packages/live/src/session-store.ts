import type { SessionRow } from "@sluice/core/events";

/** Beyond this the sessions with the oldest activity are ended, so that a client inventing one per request cannot fill the memory. */
export const MAX_SESSIONS = 10_000;
export const MAX_LISTED = 5_000;

/** What changed in one session on one instance since its last report. Amounts are decimal integers. */
export interface SessionChange {
  id: string;
  userId: string;
  keyId: string;
  /** '' leaves the known value. */
  providerId: string;
  model: string;
  client: string;
  atMs: number;
  requests: number;
  inputTokens: number;
  cacheTokens: number;
  outputTokens: number;
  costNanoUsd: string;
  /** '' leaves the known value. */
  chosenBy: SessionRow["chosenBy"];
  /** Requests in flight on this instance now, absolute. */
  inFlight: number;
}

export interface Swept {
  ended: SessionRow[];
  /** The score of the session idle for longest, which decides when to sweep again; null when there are none. */
  oldestMs: number | null;
}

export interface Applied {
  results: {
    row: SessionRow;
    created: boolean;
    /** It was terminated and is now idle: the next sweep ends it. */
    due: boolean;
  }[];
  /** More than MAX_SESSIONS: the next sweep ends some before their time. */
  tooMany: boolean;
}

/**
 * Sessions across all instances. `number` increases with every new batch of an instance, so a repeated one is not counted twice. Sweeps of
 * one store must not overlap.
 */
export interface SessionStore {
  /** @throws when Redis does not answer; then the same batch may be sent again. */
  apply(changes: readonly SessionChange[], number: number): Promise<Applied>;
  /**
   * Ends sessions idle since `cutoffMs` or earlier with nothing in flight. Each session is in one result only; if it throws, in that
   * of a later call.
   */
  sweep(cutoffMs: number, nowMs: number): Promise<Swept>;
  /** Unless it gets a new request, the session ends with the sweep after its last one finishes; if idle, with the next sweep. */
  terminate(id: string): Promise<void>;
  /** Removes what dead instances had in flight. Returns the rows that changed. */
  bury(lives: readonly string[]): Promise<SessionRow[]>;
  find(id: string): Promise<SessionRow | null>;
  /** Latest activity first: active after `cutoffMs`, or in flight. */
  list(cutoffMs: number): Promise<SessionRow[]>;
}

/** The in-process twin. */
export function createMemorySessionStore(): SessionStore {
  const rows = new Map<string, SessionRow>();
  /** As in Redis: the time of the last activity, or of the last sweep that found it in flight. */
  const scores = new Map<string, number>();
  const terminated = new Set<string>();
  /** The highest rev with which a session ended. */
  let lastRev = 0;
  let applied = 0;

  function applyOne(change: SessionChange, count: boolean): Applied["results"][number] {
    const held = rows.get(change.id);
    const base = held ?? newRow(change, lastRev);
    const factor = count ? 1 : 0;
    if (change.requests > 0) terminated.delete(change.id);
    const moved = change.providerId !== "" && change.providerId !== base.providerId;
    const row: SessionRow = {
      ...base,
      providerId: change.providerId || base.providerId,
      model: change.model || base.model,
      client: change.client || base.client,
      chosenBy: change.chosenBy || base.chosenBy,
      providerSinceMs: moved ? change.atMs : base.providerSinceMs,
      lastActivityAtMs: Math.max(base.lastActivityAtMs, change.atMs),
      inFlight: change.inFlight,
      requests: base.requests + factor * change.requests,
      inputTokens: base.inputTokens + factor * change.inputTokens,
      cacheTokens: base.cacheTokens + factor * change.cacheTokens,
      outputTokens: base.outputTokens + factor * change.outputTokens,
      costNanoUsd: count ? (BigInt(base.costNanoUsd) + BigInt(change.costNanoUsd)).toString() : base.costNanoUsd,
      rev: base.rev + 1,
    };
    rows.set(row.id, row);
    scores.set(row.id, terminated.has(row.id) ? 0 : row.lastActivityAtMs);
    return { row, created: !held, due: terminated.has(row.id) && row.inFlight === 0 };
  }

  return {
    async apply(changes, number) {
      const count = number > applied;
      applied = Math.max(applied, number);
      return { results: changes.map((change) => applyOne(change, count)), tooMany: rows.size > MAX_SESSIONS };
    },
    async sweep(cutoffMs, nowMs) {
      const ended: SessionRow[] = [];
      const excess = rows.size - MAX_SESSIONS;
      const byScore = [...scores].sort((a, b) => a[1] - b[1]);
      for (const [index, [id, score]] of byScore.entries()) {
        const row = rows.get(id);
        if (!row || (score > cutoffMs && index >= excess)) continue;
        if (row.inFlight > 0) {
          scores.set(id, nowMs);
        } else {
          rows.delete(id);
          scores.delete(id);
          terminated.delete(id);
          ended.push({ ...row, rev: row.rev + 1 });
          lastRev = Math.max(lastRev, row.rev + 1);
        }
      }
      return { ended, oldestMs: scores.size > 0 ? Math.min(...scores.values()) : null };
    },
    async terminate(id) {
      if (!rows.has(id)) return;
      terminated.add(id);
      scores.set(id, 0);
    },
    // A single process: when it dies, so does this.
    bury: async () => [],
    find: async (id) => rows.get(id) ?? null,
    async list(cutoffMs) {
      return [...rows.values()]
        .filter((row) => row.lastActivityAtMs > cutoffMs || row.inFlight > 0)
        .sort((a, b) => b.lastActivityAtMs - a.lastActivityAtMs)
        .slice(0, MAX_LISTED);
    },
  };
}

/** Revs begin at the current time, or after those of all that ended, so a session that ended and comes back is newer than its end. */
function newRow(change: SessionChange, lastRev: number): SessionRow {
  return {
    id: change.id,
    userId: change.userId,
    keyId: change.keyId,
    providerId: "",
    model: "",
    client: "",
    startedAtMs: change.atMs,
    lastActivityAtMs: change.atMs,
    inFlight: 0,
    requests: 0,
    inputTokens: 0,
    cacheTokens: 0,
    outputTokens: 0,
    costNanoUsd: "0",
    providerSinceMs: change.atMs,
    chosenBy: "",
    rev: Math.max(change.atMs, lastRev),
  };
}
