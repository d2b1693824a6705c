import type { LiveEvent } from "@sluice/core/events";
import type { RateSecond } from "@sluice/core/limits/rate-usage";

/** What of its limits a key uses: read once, then moved by its requests as they begin and end. */
export interface KeyUse {
  inFlight: number;
  rate: RateSecond[];
}

/** The use after these events. Requests that the limits turned away took nothing. */
export function usageAfter(use: KeyUse, keyId: string, events: readonly LiveEvent[]): KeyUse {
  let { inFlight, rate } = use;
  for (const event of events) {
    if (!("rev" in event) || event.row.keyId !== keyId) continue;
    if (event.type === "request.started") {
      inFlight += 1;
      rate = booked(rate, Math.floor(event.row.startedAtMs / 1000));
    } else if (event.type === "request.finished") inFlight = Math.max(0, inFlight - 1);
  }
  return inFlight === use.inFlight && rate === use.rate ? use : { inFlight, rate };
}

function booked(rate: readonly RateSecond[], second: number): RateSecond[] {
  const count = (rate.find((each) => each.second === second)?.count ?? 0) + 1;
  return [...rate.filter((each) => each.second !== second && each.second > second - 120), { second, count }].sort(
    (a, b) => a.second - b.second,
  );
}
