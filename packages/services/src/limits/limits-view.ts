import type { LimitValues } from "@sluice/core/limits/limit-values";
import { epochMs } from "@sluice/db/epoch-ms";

/** The limits set at an owner. Unset ones are absent, which keeps lists small. Costs are USD as decimal text. */
export interface LimitsView {
  rpm?: number | null;
  tpm?: number | null;
  inFlight?: number | null;
  cost5hUsd?: string | null;
  costDayUsd?: string | null;
  costWeekUsd?: string | null;
  costMonthUsd?: string | null;
  costTotalUsd?: string | null;
  /** Start of the total's count, in ms since the epoch. */
  costResetAtMs?: number | null;
}

interface Decimal {
  toFixed(): string;
}

/** The limit columns of an owner's row. */
export interface LimitColumns {
  rpm: number | null;
  tpm: number | null;
  inFlight: number | null;
  cost5hUsd: Decimal | null;
  costDayUsd: Decimal | null;
  costWeekUsd: Decimal | null;
  costMonthUsd: Decimal | null;
  costTotalUsd: Decimal | null;
  costResetAt: Date | null;
}

/** A stored row's limits in the form of a verb's input, to copy them to another owner. */
export function toLimitInput(row: LimitColumns) {
  return {
    rpm: row.rpm,
    tpm: row.tpm,
    inFlight: row.inFlight,
    cost5hUsd: row.cost5hUsd?.toFixed() ?? null,
    costDayUsd: row.costDayUsd?.toFixed() ?? null,
    costWeekUsd: row.costWeekUsd?.toFixed() ?? null,
    costMonthUsd: row.costMonthUsd?.toFixed() ?? null,
    costTotalUsd: row.costTotalUsd?.toFixed() ?? null,
  };
}

/** A stored row's limits in the form that the rest of the system uses. */
export function toLimitValues(row: LimitColumns): LimitValues {
  return { ...toLimitInput(row), costResetAtMs: row.costResetAt?.getTime() ?? null };
}

/** Only the limits that are set. */
export function toLimitsView(values: Partial<LimitValues>): LimitsView {
  return {
    ...(values.rpm != null && { rpm: values.rpm }),
    ...(values.tpm != null && { tpm: values.tpm }),
    ...(values.inFlight != null && { inFlight: values.inFlight }),
    ...(values.cost5hUsd != null && { cost5hUsd: values.cost5hUsd }),
    ...(values.costDayUsd != null && { costDayUsd: values.costDayUsd }),
    ...(values.costWeekUsd != null && { costWeekUsd: values.costWeekUsd }),
    ...(values.costMonthUsd != null && { costMonthUsd: values.costMonthUsd }),
    ...(values.costTotalUsd != null && { costTotalUsd: values.costTotalUsd }),
    ...(values.costResetAtMs != null && { costResetAtMs: values.costResetAtMs }),
  };
}

/** The column `moreLimits` of a list: limits that few owners have, as one object without nulls. */
export function moreLimitsSql(table: string): string {
  const cost = (name: string, column: string) => `'${name}', trim_scale(${table}.${column})::text`;
  const costs = [
    cost("cost5hUsd", "cost_5h_usd"),
    cost("costDayUsd", "cost_day_usd"),
    cost("costWeekUsd", "cost_week_usd"),
    cost("costMonthUsd", "cost_month_usd"),
    cost("costTotalUsd", "cost_total_usd"),
  ];
  return `json_strip_nulls(json_build_object('tpm', ${table}.tpm, ${costs.join(", ")},
    'costResetAtMs', ${epochMs(`${table}.cost_reset_at`)})) AS "moreLimits"`;
}

/** The columns that a change sets; `resetCost` restarts the total at `now`. */
export function limitChange<C extends { resetCost?: true | undefined }>(
  { resetCost, ...change }: C,
  now: Date,
): Omit<C, "resetCost"> & { costResetAt?: Date } {
  return resetCost ? { ...change, costResetAt: now } : change;
}
