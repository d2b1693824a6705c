import type { SeriesSplit } from "@sluice/core/statistics";
import type { logSearch } from "../../statistics/search.ts";

type LogLink = ReturnType<typeof logSearch>;

/** The filter for a series' requests in the log; null = none exists. */
export function ofSeries(logs: LogLink, by: SeriesSplit, id: string | null): LogLink | null {
  if (by === "none") return logs;
  return id ? { ...logs, [by]: id } : null;
}
