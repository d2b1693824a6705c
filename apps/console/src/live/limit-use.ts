import type { LiveEvent } from "@sluice/core/events";
import type { CostKind } from "@sluice/core/limits/limit-values";
import type { RateSecond } from "@sluice/core/limits/rate-usage";

/** The use of an owner's limits: read once, then updated as its requests begin and end. */
export interface LimitUse {
  kind: "key" | "user" | "group";
  id: string;
  inFlight: number;
  rate: RateSecond[];
  tokens: RateSecond[];
  /** nano-USD by window; null = unknown. */
  spent: Partial<Record<CostKind, number>> | null;
  reserved: number;
  /** Requests in flight whose beginning was received since the read. */
  begun?: ReadonlySet<string>;
}

/** Starts of the windows that do not roll. */
type WindowStarts = Partial<Record<CostKind, { startMs: number } | null>>;

/** The read that the use started from: its windows, and the server time in ms. */
export interface LimitReading {
  windows: WindowStarts;
  serverNowMs: number;
}

/**
 * The use after these events. Requests refused by limits took nothing. For a quick request only the last of its events arrives: one that
 * began after the read and whose start was not received began within that frame.
 */
export function limitUseAfter<U extends LimitUse>(use: U, events: readonly LiveEvent[], { windows, serverNowMs }: LimitReading): U {
  let { inFlight, rate, tokens, spent, reserved } = use;
  const begun = new Set(use.begun);
  for (const event of events) {
    if (!("rev" in event) || ownerOf(event.row, use.kind) !== use.id) continue;
    const { type, row } = event;
    const isNew = !begun.has(row.id) && (type === "request.started" || row.startedAtMs > serverNowMs);
    if (isNew && type !== "request.refused" && type !== "request.corrected") {
      begun.add(row.id);
      inFlight += 1;
      rate = booked(rate, Math.floor(row.startedAtMs / 1000), 1);
    }
    if (type === "request.finished") {
      begun.delete(row.id);
      inFlight = Math.max(0, inFlight - 1);
      // With nothing in flight, nothing can be reserved; individual reservations are not reported.
      if (inFlight === 0) reserved = 0;
      const { input, output, cacheRead, cacheWrite5m, cacheWrite1h } = row.usage;
      const endedS = Math.floor((row.startedAtMs + (row.durationMs ?? 0)) / 1000);
      tokens = booked(tokens, endedS, input + output + cacheRead + cacheWrite5m + cacheWrite1h);
      spent = spent && afterCost(spent, Number(row.costNanoUsd ?? 0), row.startedAtMs, windows);
    }
  }
  const isSame = inFlight === use.inFlight && rate === use.rate && tokens === use.tokens && spent === use.spent;
  return isSame ? use : { ...use, inFlight, rate, tokens, spent, reserved, begun };
}

function ownerOf(row: { keyId: string; userId: string; group: string }, kind: LimitUse["kind"]): string {
  return kind === "key" ? row.keyId : kind === "user" ? row.userId : row.group;
}

function afterCost(
  spent: NonNullable<LimitUse["spent"]>,
  nanoUsd: number,
  startedAtMs: number,
  windows: WindowStarts,
): NonNullable<LimitUse["spent"]> {
  if (nanoUsd === 0) return spent;
  const counts = ([kind]: [string, number]): boolean => startedAtMs >= (windows[kind as CostKind]?.startMs ?? 0);
  return Object.fromEntries(Object.entries(spent).map((each) => [each[0], each[1] + (counts(each) ? nanoUsd : 0)]));
}

function booked(rate: readonly RateSecond[], second: number, amount: number): RateSecond[] {
  const count = (rate.find((each) => each.second === second)?.count ?? 0) + amount;
  return [...rate.filter((each) => each.second !== second && each.second > second - 120), { second, count }].sort(
    (a, b) => a.second - b.second,
  );
}
