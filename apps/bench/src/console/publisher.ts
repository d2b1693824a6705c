import { setTimeout as sleep } from "node:timers/promises";
import { newId } from "@sluice/core/ids";
import type { RequestRow } from "@sluice/core/requests";
import type { Live } from "@sluice/live/live";
import { requestDetail, requestRow } from "@sluice/testing/factories";

/** The outcome of a run of scripted requests. */
export interface Published {
  /** In the order of their start. */
  ids: string[];
  /** Wall time (ms since the epoch) at which each end was handed to the bus. */
  endedAtMs: Map<string, number>;
}

interface Script {
  /** Events per second; a request causes two, its start and its end. */
  eventsPerSecond: number;
  ms: number;
  /** Every n-th request belongs to this key, the rest to another one. */
  watched?: { keyId: string; every: number };
}

const TICK_MS = 20;
/** Duration of a request: between a quarter and three quarters of a second. */
const lasts = (): number => 250 + Math.random() * 500;

/** Publishes requests like gateways do, evenly over time, until each has ended. */
export async function publish(live: Live, { eventsPerSecond, ms, watched }: Script): Promise<Published> {
  const published: Published = { ids: [], endedAtMs: new Map() };
  const flying: { row: RequestRow; endMs: number }[] = [];
  const began = performance.now();
  for (let now = 0; now < ms || flying.length > 0; now = performance.now() - began) {
    const due = Math.floor((Math.min(now, ms) * eventsPerSecond) / 2_000);
    while (published.ids.length < due) {
      const keyId = watched && published.ids.length % watched.every === 0 ? watched.keyId : "other-key";
      const row = requestRow({ ...unfinished, id: newId(), keyId, startedAtMs: Date.now() });
      published.ids.push(row.id);
      flying.push({ row, endMs: now + lasts() });
      live.registry.started(row);
    }
    for (const one of flying.filter(({ endMs }) => endMs <= now)) {
      flying.splice(flying.indexOf(one), 1);
      published.endedAtMs.set(one.row.id, Date.now());
      live.registry.finished(ended(one.row), requestDetail({ id: one.row.id }));
    }
    await sleep(TICK_MS);
  }
  await live.bus.flush();
  return published;
}

const unfinished = { state: "in_flight", status: 0, costNanoUsd: null, ttftMs: null, durationMs: null, sessionId: "" } as const;

function ended(row: RequestRow): RequestRow {
  const failed = Math.random() < 0.03;
  const durationMs = Date.now() - row.startedAtMs;
  return {
    ...row,
    state: failed ? "error" : "done",
    status: failed ? 500 : 200,
    costNanoUsd: "1200000",
    ttftMs: Math.round(durationMs / 2),
    durationMs,
  };
}
