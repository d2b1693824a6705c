import { NANO_PER_USD, parseDecimal } from "../money.ts";
import { effectiveCount } from "./effective-count.ts";

/** Every kind of limit, in the order in which they are checked. */
export const limitKinds = ["total", "in_flight", "rpm", "tpm", "5h", "day", "week", "month"] as const;
export type LimitKind = (typeof limitKinds)[number];

/** The kinds that limit cost, each summed over a time window (core/limits/cost-windows). */
export const costKinds = ["total", "5h", "day", "week", "month"] as const;
export type CostKind = (typeof costKinds)[number];

/** Who can have limits, in the order in which they are checked. A provider's are checked per attempt. */
export const limitOwners = ["key", "user", "group", "provider"] as const;
export type LimitOwner = (typeof limitOwners)[number];

/** Limits as set at an owner. 0, null and anything that is not a positive number mean no limit of that kind at this owner. */
export interface LimitValues {
  /** Requests per minute, tokens per minute, requests in flight. */
  readonly rpm: number | null;
  readonly tpm?: number | null;
  readonly inFlight: number | null;
  /** USD as plain decimals. */
  readonly cost5hUsd?: string | null;
  readonly costDayUsd?: string | null;
  readonly costWeekUsd?: string | null;
  readonly costMonthUsd?: string | null;
  readonly costTotalUsd?: string | null;
  /** Since when the total counts, ms since the epoch; null = from the beginning. */
  readonly costResetAtMs?: number | null;
}

/** Limits as they apply: null = none of that kind. */
export interface AppliedLimits {
  rpm: number | null;
  tpm: number | null;
  inFlight: number | null;
  /** nano-USD by kind, only for existing limits; null = cost is not limited. */
  costs: Readonly<Partial<Record<CostKind, number>>> | null;
  totalSinceMs: number;
}

/**
 * Highest cost limit. Doubles, the only numbers that Redis scripts have, must stay exact beyond it (and in sums far beyond
 * it): 10^15 nano-USD are a million USD, 2^53 are nine million.
 */
const MAX_NANO_USD = 10n ** 15n;

const costFields = {
  total: "costTotalUsd",
  "5h": "cost5hUsd",
  day: "costDayUsd",
  week: "costWeekUsd",
  month: "costMonthUsd",
} as const satisfies Record<CostKind, keyof LimitValues>;

/** Name of the field that holds a kind's value. */
export function costField(kind: CostKind): (typeof costFields)[CostKind] {
  return costFields[kind];
}

/** The first of the given cost limits that limits anything, in exact nano-USD; null when none does. */
export function effectiveCost(...levels: readonly (string | number | null | undefined)[]): number | null {
  for (const level of levels) {
    const nano = nanoOf(level);
    if (nano > 0n) return Number(nano < MAX_NANO_USD ? nano : MAX_NANO_USD);
  }
  return null;
}

function nanoOf(usd: string | number | null | undefined): bigint {
  if (usd === null || usd === undefined) return 0n;
  try {
    // A parsed decimal is scaled by 10^12.
    return (parseDecimal(String(usd)) * NANO_PER_USD) / 10n ** 12n;
  } catch {
    return 0n;
  }
}

const applied = new WeakMap<Partial<LimitValues>, { limits: AppliedLimits | null }>();

/** The limits that an owner actually has; null when it has none. Cached per object, which must not change. */
export function appliedLimits(values: Partial<LimitValues>): AppliedLimits | null {
  let known = applied.get(values);
  if (!known) {
    known = { limits: readLimits(values) };
    applied.set(values, known);
  }
  return known.limits;
}

function readLimits(values: Partial<LimitValues>): AppliedLimits | null {
  const costs: Partial<Record<CostKind, number>> = {};
  for (const kind of costKinds) {
    const cost = effectiveCost(values[costFields[kind]]);
    if (cost !== null) costs[kind] = cost;
  }
  const limits: AppliedLimits = {
    rpm: effectiveCount(values.rpm),
    tpm: effectiveCount(values.tpm),
    inFlight: effectiveCount(values.inFlight),
    costs: Object.keys(costs).length > 0 ? costs : null,
    totalSinceMs: values.costResetAtMs ?? 0,
  };
  const isNone = limits.rpm === null && limits.tpm === null && limits.inFlight === null && limits.costs === null;
  return isNone ? null : limits;
}
