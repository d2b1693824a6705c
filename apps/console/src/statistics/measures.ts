import { formatUsd } from "@sluice/core/money";
import type { Columns } from "@sluice/core/overview";
import { formatCost, formatCount, formatDuration, formatPercent } from "../format.ts";
import type { CsvCell } from "./csv.ts";

/** What a chart over time shows of its buckets. */
export const measures = ["requests", "tokens", "cost", "errors", "errorRate", "ttft"] as const;
export type Measure = (typeof measures)[number];

/** Rates and times are lines; they do not add up. */
export function isLine(measure: Measure): boolean {
  return measure === "errorRate" || measure === "ttft";
}

export function isCounted(measure: Measure): boolean {
  return measure === "requests" || measure === "tokens" || measure === "errors";
}

/** One value a bucket for the height of a bar or line; null = nothing was measured. Cost in dollars. */
export function valuesOf(columns: Columns, measure: Measure): (number | null)[] {
  switch (measure) {
    case "cost":
      return columns.costNanoUsd.map((nano) => Number(nano) / 1e9);
    case "ttft":
      return ratios(columns.ttftMsSum, columns.ttftCount);
    case "errorRate":
      return ratios(columns.errors, columns.requests);
    default:
      return [...columns[measure]];
  }
}

/** The same as a spreadsheet takes it: exact, unformatted. */
export function cellsOf(columns: Columns, measure: Measure): CsvCell[] {
  return measure === "cost" ? columns.costNanoUsd.map((nano) => formatUsd(BigInt(nano))) : valuesOf(columns, measure);
}

export function formatMeasure(measure: Measure, value: number, language: string): string {
  if (measure === "cost") return formatCost(BigInt(Math.round(value * 1e9)).toString());
  if (measure === "ttft") return formatDuration(value);
  return measure === "errorRate" ? formatPercent(value, 1) : formatCount(value, language);
}

/** All buckets in one figure. */
export function totalOf(columns: Columns, measure: Measure, language: string): string {
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  switch (measure) {
    case "cost":
      return formatCost(costOf(columns).toString());
    case "ttft":
      return formatDuration(meanOf(sum(columns.ttftMsSum), sum(columns.ttftCount)));
    case "errorRate":
      return formatPercent(sum(columns.errors), sum(columns.requests));
    default:
      return formatCount(sum(columns[measure]), language);
  }
}

export function costOf({ costNanoUsd }: Columns): bigint {
  return costNanoUsd.reduce((total, nano) => total + BigInt(nano), 0n);
}

function meanOf(sum: number, count: number): number | null {
  return count > 0 ? sum / count : null;
}

function ratios(parts: readonly number[], wholes: readonly number[]): (number | null)[] {
  return parts.map((part, at) => meanOf(part, wholes[at] ?? 0));
}
