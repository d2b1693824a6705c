import type { Availability, AvailabilityRow } from "@sluice/core/statistics";
import { formatExact, formatPercent } from "../../format.ts";
import { useTexts } from "../../text/i18n.ts";
import { cn } from "../../ui/class-names.ts";

interface OutcomeStripProps {
  row: AvailabilityRow;
  buckets: Pick<Availability, "times">;
  name: string;
  when(ms: number): string;
}

/** Error rates in percent from which a bucket is shown as warning and as bad. */
const WARN_PERCENT = 1;
const BAD_PERCENT = 10;

type Outcome = "none" | "ok" | "warn" | "bad";

function outcomeOf(requests: number, errors: number): Outcome {
  if (requests === 0) return "none";
  const percent = (errors / requests) * 100;
  if (percent >= BAD_PERCENT) return "bad";
  return percent >= WARN_PERCENT ? "warn" : "ok";
}

/** Height and colour carry the same information, for readers who cannot distinguish colours. */
const looks: Record<Outcome, string> = {
  none: "h-1.5 bg-idle-soft",
  ok: "h-full bg-ok",
  warn: "h-2/3 bg-warn",
  bad: "h-1/3 bg-bad",
};

/** Outcomes of requests, one bar per bucket. Assistive technology gets a summary; the table view has every figure. */
export function OutcomeStrip({ row: { series }, buckets: { times }, name, when }: OutcomeStripProps) {
  const { t, language } = useTexts();
  const outcomes = series.requests.map((requests, at) => outcomeOf(requests, series.errors[at] ?? 0));
  const counts = (wanted: Outcome): number => outcomes.filter((one) => one === wanted).length;
  const summary = t("availability.strip", { name, ok: counts("ok"), warn: counts("warn"), bad: counts("bad"), none: counts("none") });
  return (
    <div role="img" aria-label={summary} className="flex h-6 min-w-40 items-end gap-px max-md:gap-0">
      {outcomes.map((outcome, at) => {
        const requests = series.requests[at] ?? 0;
        const errors = series.errors[at] ?? 0;
        return (
          <span
            key={times[at]}
            title={`${when(times[at] ?? 0)}: ${t("availability.bucket", {
              count: requests,
              requests: formatExact(requests, language),
              errors: formatExact(errors, language),
              rate: formatPercent(requests - errors, requests),
            })}`}
            className={cn("min-w-0 flex-1 rounded-[1px]", looks[outcome])}
          />
        );
      })}
    </div>
  );
}
