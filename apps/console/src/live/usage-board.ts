import type { LiveEvent } from "@sluice/core/events";
import type { RequestRow } from "@sluice/core/requests";
import type { Recent } from "@sluice/core/statistics";
import { createEndedRows, type EndedRow } from "./ended-rows.ts";

/** Total usage of a key or user. */
export interface Usage {
  requests: number;
  totalTokens: number;
  /** nano-USD as decimal text. */
  costNanoUsd: string;
  /** null = never. */
  lastUsedAtMs: number | null;
}

/** Figures of the keys and users on a page: read with their list, then updated by each request that ends. */
export interface UsageBoard {
  get(id: string): Usage | undefined;
  /** Calls back when this entry changes. */
  onChange(id: string, listener: () => void): () => void;
  /** A list with totals also names the recent ends they include. */
  load(list: { items: readonly { id: string; totals?: Usage | undefined }[]; recent?: Recent | undefined }): void;
  push(events: readonly LiveEvent[]): void;
}

interface Shown {
  usage: Usage;
  /** From the list that it was read with. */
  fromMs: number;
  counted: ReadonlySet<string>;
}

export function createUsageBoard(now: () => number): UsageBoard {
  const shown = new Map<string, Shown>();
  const listeners = new Map<string, Set<() => void>>();
  const ended = createEndedRows(now);

  function tell(id: string): void {
    for (const listener of listeners.get(id) ?? []) listener();
  }

  /** Counts an end unless the list's totals include it; returns whether it did. */
  function move(id: string, { row, atMs }: EndedRow): boolean {
    const known = shown.get(id);
    if (!known || atMs < known.fromMs || known.counted.has(row.id)) return false;
    shown.set(id, { ...known, usage: plus(known.usage, row) });
    return true;
  }

  return {
    get: (id) => shown.get(id)?.usage,
    onChange(id, listener) {
      const own = listeners.get(id) ?? new Set();
      own.add(listener);
      listeners.set(id, own);
      return () => {
        own.delete(listener);
        if (own.size === 0) listeners.delete(id);
      };
    },
    load({ items, recent }) {
      if (!recent) return;
      const { fromMs } = recent;
      const counted = new Set(recent.ids);
      const read = new Set<string>();
      for (const { id, totals } of items) {
        const known = shown.get(id);
        // A list that is shown again, or arrives after a later one, is older than what was pushed since.
        if (!totals || (known && fromMs <= known.fromMs)) continue;
        shown.set(id, { usage: totals, fromMs, counted });
        read.add(id);
      }
      if (read.size === 0) return;
      for (const one of ended.list()) for (const id of [one.row.keyId, one.row.userId]) if (read.has(id)) move(id, one);
      for (const id of read) tell(id);
    },
    push(events) {
      for (const one of ended.push(events)) for (const id of [one.row.keyId, one.row.userId]) if (move(id, one)) tell(id);
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
