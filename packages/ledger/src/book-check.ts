import type { BooksDifference } from "@sluice/core/events";
import { firstIdAt } from "@sluice/core/ids";
import type pg from "pg";

/** Whole UTC days, ms since the epoch. */
export interface Span {
  fromMs: number;
  toMs: number;
}

/** A single statement reads both figures from one snapshot, so the check is correct while rows arrive. */
export interface BookCheck {
  /** The table whose figures are compared with the rows they are made of. */
  table: string;
  find(db: pg.Pool | pg.ClientBase): Promise<BooksDifference[]>;
}

/** Differences listed per check. The first few show what is wrong; a million of them show no more. */
export const LISTED = 20;

export const tokens = ["input_tokens", "output_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "cache_read_tokens"];

/** The figures keys are ranked by, defined independently of the settle statement so that the check does not repeat its mistakes. */
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

/** Lists only the measures that differ, by name. Long values (sketches) are shortened: they are unreadable anyway. */
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
