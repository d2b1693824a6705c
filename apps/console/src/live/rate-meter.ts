import type { LiveEvent } from "@sluice/core/events";
import type { RequestRow } from "@sluice/core/requests";

/** Current throughput, from the events of the last minute alone. */
export interface Rates {
  requestsPerSecond: number;
  tokensPerSecond: number;
  /** nano-USD as decimal text. */
  costPerHourNanoUsd: string;
}

interface Second {
  second: number;
  requests: number;
  tokens: number;
  costNanoUsd: bigint;
}

const SPAN_S = 60;
/** A rate over a shorter span would jump with every request. */
const MIN_SPAN_S = 5;
/** Requests in flight whose token counts are remembered. */
const MAX_KNOWN = 5_000;

/** Means over the last minute, or since the first event if that is more recent. */
export function createRateMeter(now: () => number) {
  const seconds: Second[] = [];
  const tokensSoFar = new Map<string, number>();
  let sinceMs = 0;

  function current(): Second {
    const second = Math.floor(now() / 1_000);
    const last = seconds.at(-1);
    if (last && last.second >= second) return last;
    const next = { second, requests: 0, tokens: 0, costNanoUsd: 0n };
    seconds.push(next);
    return next;
  }

  function forget(): void {
    const from = Math.floor(now() / 1_000) - SPAN_S;
    while ((seconds[0]?.second ?? Number.POSITIVE_INFINITY) < from) seconds.shift();
  }

  function take(event: Exclude<Extract<LiveEvent, { rev: number }>, { correction: RequestRow }>): void {
    const { row, type } = event;
    const slot = current();
    const known = tokensSoFar.get(row.id);
    const total = row.usage.input + row.usage.output + row.usage.cacheRead + row.usage.cacheWrite5m + row.usage.cacheWrite1h;
    // A request that began and ended within one frame sends only its end. With too many known requests this cannot be decided.
    const isQuick = type === "request.finished" && known === undefined && row.startedAtMs >= sinceMs && tokensSoFar.size < MAX_KNOWN;
    if (type === "request.started" || type === "request.refused" || isQuick) slot.requests += 1;
    // For a request that began earlier, the tokens so far are unknown: only their growth counts.
    if (known !== undefined || type !== "request.progressed") slot.tokens += Math.max(0, total - (known ?? 0));
    if (type === "request.finished" || type === "request.refused") {
      tokensSoFar.delete(row.id);
      slot.costNanoUsd += BigInt(row.costNanoUsd ?? "0");
      return;
    }
    tokensSoFar.set(row.id, total);
    const [oldest] = tokensSoFar.keys();
    if (tokensSoFar.size > MAX_KNOWN && oldest !== undefined) tokensSoFar.delete(oldest);
  }

  return {
    push(events: readonly LiveEvent[]): void {
      if (sinceMs === 0) sinceMs = now();
      // A correction concerns earlier traffic.
      for (const event of events) if ("rev" in event && event.type !== "request.corrected") take(event);
      forget();
    },
    /** Whether the rates change merely because time passes. */
    isMoving(): boolean {
      forget();
      return seconds.some(({ requests, tokens, costNanoUsd }) => requests > 0 || tokens > 0 || costNanoUsd > 0n);
    },
    rates(): Rates {
      forget();
      const span = Math.min(SPAN_S, Math.max(MIN_SPAN_S, (now() - sinceMs) / 1_000));
      const cost = seconds.reduce((sum, one) => sum + one.costNanoUsd, 0n);
      return {
        requestsPerSecond: seconds.reduce((sum, one) => sum + one.requests, 0) / span,
        tokensPerSecond: seconds.reduce((sum, one) => sum + one.tokens, 0) / span,
        costPerHourNanoUsd: ((cost * 3_600_000n) / BigInt(Math.round(span * 1_000))).toString(),
      };
    },
  };
}
