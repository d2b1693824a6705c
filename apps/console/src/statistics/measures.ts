import { formatUsd } from "@sluice/core/money";
import type { StatisticsColumns } from "@sluice/core/statistics";
import { formatCost, formatCount, formatDuration, formatPercent } from "../format.ts";
import type { CsvCell } from "./csv.ts";

/** The measures that a chart over time can show. */
export const measures = ["requests", "tokens", "cost", "errors", "errorRate", "cacheHitRate", "ttft"] as const;
export type Measure = (typeof measures)[number];

/** Rates and durations are drawn as lines, because they do not add up. */
export function isLine(measure: Measure): boolean {
  return isRate(measure) || measure === "ttft";
}

/** A value from 0 to 1. */
function isRate(measure: Measure): boolean {
  return measure === "errorRate" || measure === "cacheHitRate";
}

export function isCounted(measure: Measure): boolean {
  return measure === "requests" || measure === "tokens" || measure === "errors";
}

/** One value per bucket for the height of a bar or line; null = nothing was measured. Cost is in dollars. */
export function valuesOf(columns: StatisticsColumns, measure: Measure): (number | null)[] {
  switch (measure) {
    case "cost":
      return columns.costNanoUsd.map((nano) => Number(nano) / 1e9);
    case "ttft":
      return ratios(columns.ttftMsSum, columns.ttftCount);
    case "errorRate":
      return ratios(columns.errors, columns.requests);
    case "cacheHitRate":
      return ratios(columns.cached, columns.prompt);
    default:
      return [...columns[measure]];
  }
}

/** The same for a spreadsheet: exact and unformatted. */
export function cellsOf(columns: StatisticsColumns, measure: Measure): CsvCell[] {
  return measure === "cost" ? columns.costNanoUsd.map((nano) => formatUsd(BigInt(nano))) : valuesOf(columns, measure);
}

export function formatMeasure(measure: Measure, value: number, language: string): string {
  if (measure === "cost") return formatCost(BigInt(Math.round(value * 1e9)).toString());
  if (measure === "ttft") return formatDuration(value);
  return isRate(measure) ? formatPercent(value, 1) : formatCount(value, language);
}

/** All buckets as a single figure. */
export function totalOf(columns: StatisticsColumns, measure: Measure, language: string): string {
  switch (measure) {
    case "cost":
      return formatCost(costOf(columns).toString());
    case "ttft":
      return formatDuration(meanOf(sum(columns.ttftMsSum), sum(columns.ttftCount)));
    case "errorRate":
      return formatPercent(sum(columns.errors), sum(columns.requests));
    case "cacheHitRate":
      return formatPercent(sum(columns.cached), sum(columns.prompt));
    default:
      return formatCount(sum(columns[measure]), language);
  }
}

export function costOf({ costNanoUsd }: Pick<StatisticsColumns, "costNanoUsd">): bigint {
  return costNanoUsd.reduce((total, nano) => total + BigInt(nano), 0n);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function meanOf(sum: number, count: number): number | null {
  return count > 0 ? sum / count : null;
}

function ratios(parts: readonly number[], wholes: readonly number[]): (number | null)[] {
  return parts.map((part, at) => meanOf(part, wholes[at] ?? 0));
}
