import { costKinds } from "@sluice/core/limits/limit-values";

/** The form's values of limits, as typed. */
export interface LimitValues {
  rpm: string;
  tpm: string;
  inFlight: string;
  cost5hUsd: string;
  costDayUsd: string;
  costWeekUsd: string;
  costMonthUsd: string;
  costTotalUsd: string;
  resetCost: boolean;
}

/** Limits as the server returns them; absent = none. */
export interface SetLimits {
  rpm?: number | null;
  tpm?: number | null;
  inFlight?: number | null;
  cost5hUsd?: string | null;
  costDayUsd?: string | null;
  costWeekUsd?: string | null;
  costMonthUsd?: string | null;
  costTotalUsd?: string | null;
}

const counts = { rpm: "rpm", tpm: "tpm", in_flight: "inFlight" } as const;
const costs = { "5h": "cost5hUsd", day: "costDayUsd", week: "costWeekUsd", month: "costMonthUsd", total: "costTotalUsd" } as const;

export type LimitName = keyof typeof counts | keyof typeof costs;
export type LimitField = (typeof counts)[keyof typeof counts] | (typeof costs)[keyof typeof costs];

/** Each limit with its field, in the order of the form. */
export const limitFieldsOf: readonly (readonly [LimitName, LimitField, "count" | "cost"])[] = [
  ["in_flight", counts.in_flight, "count"],
  ["rpm", counts.rpm, "count"],
  ["tpm", counts.tpm, "count"],
  ...(["5h", "day", "week", "month", "total"] as const).map((kind) => [kind, costs[kind], "cost"] as const),
];

/** Whether a limit is a cost limit. */
export function isCost(limit: LimitName): limit is keyof typeof costs {
  return (costKinds as readonly string[]).includes(limit);
}

export function limitValuesOf(set: SetLimits | null): LimitValues {
  const text = (value: string | number | null | undefined): string => (value === null || value === undefined ? "" : String(value));
  return {
    rpm: text(set?.rpm),
    tpm: text(set?.tpm),
    inFlight: text(set?.inFlight),
    cost5hUsd: text(set?.cost5hUsd),
    costDayUsd: text(set?.costDayUsd),
    costWeekUsd: text(set?.costWeekUsd),
    costMonthUsd: text(set?.costMonthUsd),
    costTotalUsd: text(set?.costTotalUsd),
    resetCost: false,
  };
}

/** The fields as input; text that is no number is left for the schema to refuse. `resetCost` is sent only when requested. */
export function limitsInput(values: LimitValues) {
  const count = (text: string): number | null => (text.trim() === "" ? null : Number(text));
  const cost = (text: string): string | null => text.trim().replace(/^\$/, "") || null;
  return {
    rpm: count(values.rpm),
    tpm: count(values.tpm),
    inFlight: count(values.inFlight),
    cost5hUsd: cost(values.cost5hUsd),
    costDayUsd: cost(values.costDayUsd),
    costWeekUsd: cost(values.costWeekUsd),
    costMonthUsd: cost(values.costMonthUsd),
    costTotalUsd: cost(values.costTotalUsd),
    ...(values.resetCost && { resetCost: true as const }),
  };
}
