import { completeKeyMonths } from "@sluice/ledger/key-months";
import { createAlertDelivery } from "@sluice/services/alerts/deliver-alerts";
import { createAlertEvaluation } from "@sluice/services/alerts/evaluate-alerts";
import { pruneIncidents } from "@sluice/services/alerts/prune-incidents";
import { WARM_EVERY_MS, warmCaches } from "@sluice/services/caches/warm-caches";
import type { Services } from "@sluice/services/context";
import { systemContext } from "@sluice/services/create-services";
import { keepRecentTotals } from "@sluice/services/overview/keep-recent-totals";
import { startValidity } from "@sluice/services/policies/start-validity";
import { priceUnpriced } from "@sluice/services/prices/price-unpriced";
import { runRepricings } from "@sluice/services/prices/reprice";
import type { Job } from "@sluice/worker/scheduler";

/** Recurring work that one instance does for all, beside the worker's own jobs (partitions, retention, adoption). */
export function workerJobs(services: Services): Job[] {
  return [warmCachesJob(services), ...correctCostsJobs(services), ...sumsJobs(services), validityJob(services), ...alertJobs(services)];
}

/** A new price may take half a minute to apply; somebody waits for an ordered re-pricing. */
function correctCostsJobs(services: Services): Job[] {
  const ctx = systemContext(services, "boot");
  return [
    { name: "price-unpriced", everyMs: 30_000, atStart: false, run: (signal) => priceUnpriced(ctx, signal) },
    { name: "reprice", everyMs: 3_000, atStart: false, run: (signal) => runRepricings(ctx, signal) },
  ];
}

function warmCachesJob(services: Services): Job {
  const run = (signal: AbortSignal) => warmCaches(systemContext(services, "boot"), signal);
  return { name: "warm-caches", everyMs: WARM_EVERY_MS, atStart: true, run };
}

/** The days count from the request itself, so the interval does not affect the result. */
function validityJob(services: Services): Job {
  return { name: "start-validity", everyMs: 5_000, atStart: true, run: () => startValidity(systemContext(services, "boot")) };
}

function alertJobs(services: Services): Job[] {
  const ctx = systemContext(services, "boot");
  return [
    { name: "evaluate-alerts", everyMs: 5_000, atStart: true, run: createAlertEvaluation(ctx) },
    { name: "deliver-alerts", everyMs: 1_000, atStart: true, run: createAlertDelivery(ctx) },
    { name: "prune-incidents", everyMs: 3_600_000, atStart: true, run: (signal) => pruneIncidents(ctx, signal) },
  ];
}

/** Small steps: the fewer hours it lags, the fewer the overview has to read. */
const RECENT_EVERY_MS = 300_000;

/** Usage settled by an older version is only in the rollups until these sums are completed: reading it is slower, but never wrong. */
function sumsJobs({ pool, snapshot, clock }: Services): Job[] {
  const keepRecent = () => keepRecentTotals(pool, { nowMs: clock.now(), settings: snapshot.current().settings });
  const completeMonths = (signal: AbortSignal) => completeKeyMonths(pool, signal);
  return [
    { name: "keep-recent-totals", everyMs: RECENT_EVERY_MS, atStart: true, run: keepRecent },
    { name: "complete-key-months", everyMs: RECENT_EVERY_MS, atStart: true, run: completeMonths },
  ];
}
