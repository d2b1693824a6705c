import type { Settings } from "@sluice/core/inputs/settings";
import { overviewRanges } from "@sluice/core/overview-range";
import { HOUR_MS } from "@sluice/core/time-zone";
import { moveRecentTotals } from "@sluice/ledger/recent-totals";
import type { Pool } from "pg";
import { planOverview } from "./read-overview.ts";

/** Keeps the totals of recent ranges close to what the overview needs; the remaining difference is read from rollups. */
export async function keepRecentTotals(pool: Pool, { nowMs, settings }: { nowMs: number; settings: Settings }): Promise<void> {
  for (const range of overviewRanges) {
    const { times } = planOverview(nowMs, { zone: settings["time.zone"], range, fineFromMs: 0 });
    await moveRecentTotals(pool, range, Math.floor((times[0] ?? nowMs) / HOUR_MS) * HOUR_MS);
  }
}
