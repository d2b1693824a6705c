import type { RequestRow } from "@sluice/core/requests";
import { formatCount, formatExact } from "../../format.ts";
import type { Words } from "./log-cells.tsx";

function promptTokens({ usage }: RequestRow): number {
  return usage.input + usage.cacheRead + usage.cacheWrite5m + usage.cacheWrite1h;
}

/** Exact input and output, and the cached part. */
export function tokenTitle(row: RequestRow, { t, language }: Words): string {
  const exact = t("logs.tokensInOut", {
    input: formatExact(promptTokens(row), language),
    output: formatExact(row.usage.output, language),
  });
  return row.usage.cacheRead > 0 ? `${exact} · ${t("logs.cached", { count: row.usage.cacheRead })}` : exact;
}

/** "1.2k / 340"; with a tilde while estimated, as during streaming. */
export function Tokens({ row, words: { language } }: { row: RequestRow; words: Words }) {
  const prompt = promptTokens(row);
  if (prompt === 0 && row.usage.output === 0) return <span className="text-ink-3">—</span>;
  return (
    <span className="text-ink-2">
      {formatCount(prompt, language)}
      <span className="px-1 text-ink-3">/</span>
      {row.flags.includes("estimated") && "~"}
      {formatCount(row.usage.output, language)}
    </span>
  );
}
