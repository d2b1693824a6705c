import type { BooksDifference } from "@sluice/core/events";
import { firstIdAt } from "@sluice/core/ids";
import type pg from "pg";

/** Whole UTC days, ms since the epoch. */
export interface Span {
  fromMs: number;
  toMs: number;
}

/** One statement: both figures from one snapshot, so that it is right while rows arrive. */
export interface BookCheck {
  /** What is compared with what it is made of. */
  table: string;
  find(db: pg.Pool | pg.ClientBase): Promise<BooksDifference[]>;
}

/** Differences listed per check: the first ones say what is wrong, a million of them say no more. */
export const LISTED = 20;

export const tokens = ["input_tokens", "output_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "cache_read_tokens"];

/** What keys are ranked by, computed apart from the settle statement. */
export function rankedBy({
  count,
  ttftCount,
  ttftMsSum,
}: {
  count: (condition: string) => string;
  ttftCount: string;
  ttftMsSum: string;
}): Record<string, string> {
  return {
    requests: count("true"),
    total_tokens: `sum(${tokens.join(" + ")})`,
    cost_nano_usd: "coalesce(sum(cost_nano_usd), 0)",
    errors: count("status_class IN ('4xx', '5xx')"),
    ended_requests: count("status_class IN ('2xx', '3xx', '4xx', '5xx')"),
    prompt_tokens: `sum(${tokens.filter((name) => name !== "output_tokens").join(" + ")})`,
    cache_read_tokens: "sum(cache_read_tokens)",
    ttft_count: ttftCount,
    ttft_ms_sum: ttftMsSum,
  };
}

export const keyOfDay = "tenant_id, bucket, user_id, key_id";

export interface SumsRow {
  key: string;
  bucket: Date;
  key_id?: string;
  user_id?: string;
  raw: string[] | null;
  kept: string[] | null;
}

/** Only the measures that differ, by name. A sketch is as long as it is unreadable. */
export function differing(measured: readonly string[], raw: string[] | null, kept: string[] | null): { expected: string; found: string } {
  const names = measured.flatMap((name, at) => (raw && kept && raw[at] === kept[at] ? [] : [{ name, at }]));
  const text = (sums: string[] | null) => {
    if (!sums) return "nothing";
    const shown = names.map(({ name, at }) => `${name} ${(sums[at] ?? "").length > 30 ? `${sums[at]?.slice(0, 30)}…` : sums[at]}`);
    return shown.join(", ");
  };
  return { expected: text(raw), found: text(kept) };
}

/** A condition on ids of `r` that prunes partitions. */
export function idsOf(span: Span | null): { where: string; values: string[] } {
  if (!span) return { where: "true", values: [] };
  return { where: "r.id >= $1::uuid AND r.id < $2::uuid", values: [firstIdAt(span.fromMs), firstIdAt(span.toMs)] };
}
