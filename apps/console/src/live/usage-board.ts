import type { LiveEvent } from "@sluice/core/events";
import type { RequestRow } from "@sluice/core/requests";

/** What a key or a user has used since the beginning. */
export interface Usage {
  requests: number;
  totalTokens: number;
  /** Decimal nano-USD. */
  costNanoUsd: string;
  /** null = never. */
  lastUsedAtMs: number | null;
}

/** Figures of the keys and users on a page: read with their list, then moved by each request that ends. */
export interface UsageBoard {
  get(id: string): Usage | undefined;
  /** Calls back when that one moves. */
  onChange(id: string, listener: () => void): () => void;
  load(items: readonly { id: string; totals?: Usage | undefined }[]): void;
  push(events: readonly LiveEvent[]): void;
}

/** Ends that are remembered, so that none counts twice. */
const KNOWN = 5_000;

export function createUsageBoard(): UsageBoard {
  const shown = new Map<string, Usage>();
  const listeners = new Map<string, Set<() => void>>();
  let counted = new Set<string>();

  function set(id: string, usage: Usage): void {
    shown.set(id, usage);
    for (const listener of listeners.get(id) ?? []) listener();
  }

  function move(id: string, row: RequestRow): void {
    const usage = shown.get(id);
    if (usage) set(id, plus(usage, row));
  }

  return {
    get: (id) => shown.get(id),
    onChange(id, listener) {
      const own = listeners.get(id) ?? new Set();
      own.add(listener);
      listeners.set(id, own);
      return () => {
        own.delete(listener);
        if (own.size === 0) listeners.delete(id);
      };
    },
    // What a list knows is behind by what is not settled yet, and figures only grow: the larger one is the newer.
    load(items) {
      for (const { id, totals } of items) {
        if (!totals) continue;
        const known = shown.get(id);
        if (!known || totals.requests >= known.requests) set(id, totals);
      }
    },
    push(events) {
      for (const event of events) {
        if (event.type !== "request.finished" && event.type !== "request.refused" && event.type !== "request.corrected") continue;
        const row = event.type === "request.corrected" ? event.correction : event.row;
        if (counted.has(row.id)) continue;
        if (counted.size >= KNOWN) counted = new Set([...counted].slice(KNOWN / 2));
        counted.add(row.id);
        move(row.keyId, row);
        move(row.userId, row);
      }
    },
  };
}

function plus(usage: Usage, { usage: tokens, costNanoUsd, startedAtMs, correctsId }: RequestRow): Usage {
  const { input, output, cacheWrite5m, cacheWrite1h, cacheRead } = tokens;
  return {
    requests: usage.requests + (correctsId ? 0 : 1),
    totalTokens: usage.totalTokens + input + output + cacheWrite5m + cacheWrite1h + cacheRead,
    costNanoUsd: (BigInt(usage.costNanoUsd) + BigInt(costNanoUsd ?? "0")).toString(),
    lastUsedAtMs: Math.max(usage.lastUsedAtMs ?? 0, startedAtMs),
  };
}
