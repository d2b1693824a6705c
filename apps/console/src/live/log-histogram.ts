import type { LiveEvent } from "@sluice/core/events";
import type { LogFilter } from "@sluice/core/inputs/log";
import { matchesLog } from "@sluice/core/match-log";
import type { StatusClass } from "@sluice/core/requests";
import { statusClassOf } from "@sluice/core/status-class";
import type { Outputs } from "../api/client.ts";

/** Requests over time by class: read once as sums, then every pushed end is counted in its bucket. */
export interface HistogramView {
  fromMs: number;
  toMs: number;
  stepMs: number;
  /** One bucket per step from `fromMs`, including empty ones. */
  buckets: readonly { atMs: number; counts: Counts; total: number }[];
  totals: Counts;
  total: number;
}

type Counts = Partial<Record<StatusClass, number>>;
export type HistogramAnswer = Outputs["logs"]["histogram"];

/** In stacking order, from the bottom. */
export const statusClasses = ["2xx", "3xx", "aborted", "refused", "4xx", "5xx"] as const satisfies readonly StatusClass[];

/** Ids remembered so that a replayed end is not counted twice. */
const MOST_COUNTED = 20_000;

export interface LogHistogram {
  /** Counts ends; returns whether anything changed. `isAcross`: the events are a replay that spans the read of the answer. */
  push(events: readonly LiveEvent[], isAcross?: boolean): boolean;
  /** The view at a time: a range without an end moves with it. */
  view(nowMs: number): HistogramView;
}

export function createLogHistogram(answer: HistogramAnswer, filter: LogFilter): LogHistogram {
  const { stepMs } = answer;
  const counts = new Map<number, Counts>(answer.buckets.map(({ atMs, counts }) => [atMs, { ...counts }]));
  const counted = new Set(answer.countedIds);
  const follows = filter.toMs === undefined;
  const whole: LogFilter = { ...filter, fromMs: answer.fromMs, ...(!follows && { toMs: answer.toMs }) };

  return {
    push(events, isAcross = false) {
      let changed = false;
      for (const event of events) {
        if (event.type !== "request.finished" && event.type !== "request.refused") continue;
        const { row } = event;
        if (row.correctsId || counted.has(row.id) || !matchesLog(row, whole)) continue;
        // Settled long ago, it is in the sums and no longer listed.
        if (isAcross && row.startedAtMs + (row.durationMs ?? 0) < answer.serverNowMs) continue;
        if (counted.size >= MOST_COUNTED) counted.clear();
        counted.add(row.id);
        const atMs = Math.floor(row.startedAtMs / stepMs) * stepMs;
        const bucket = counts.get(atMs) ?? {};
        const is = statusClassOf(row);
        bucket[is] = (bucket[is] ?? 0) + 1;
        counts.set(atMs, bucket);
        changed = true;
      }
      return changed;
    },
    view(nowMs) {
      const toMs = follows ? Math.max(answer.toMs, Math.ceil(nowMs / stepMs) * stepMs) : answer.toMs;
      const fromMs = answer.fromMs + (toMs - answer.toMs);
      const totals: Counts = {};
      const buckets: HistogramView["buckets"][number][] = [];
      for (let atMs = fromMs; atMs < toMs; atMs += stepMs) {
        const bucket = counts.get(atMs) ?? {};
        for (const is of statusClasses) if (bucket[is]) totals[is] = (totals[is] ?? 0) + bucket[is];
        buckets.push({ atMs, counts: { ...bucket }, total: totalOf(bucket) });
      }
      return { fromMs, toMs, stepMs, buckets, totals, total: totalOf(totals) };
    },
  };
}

function totalOf(counts: Counts): number {
  return statusClasses.reduce((sum, is) => sum + (counts[is] ?? 0), 0);
}
