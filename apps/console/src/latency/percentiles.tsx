import type { OverviewRange } from "@sluice/core/overview-range";
import { ChevronRight } from "lucide-react";
import { useState } from "react";
import { useTexts } from "../text/i18n.ts";
import { cn } from "../ui/class-names.ts";
import { LatencyTable } from "./latency-table.tsx";

interface PercentilesProps {
  ranges: readonly OverviewRange[];
  /** Absent = over all providers. */
  providerId?: string;
}

/** Latency percentiles, read when opened: a page of a hundred providers must not read them all. */
export function Percentiles({ ranges, providerId }: PercentilesProps) {
  const { t } = useTexts();
  const [open, setOpen] = useState(false);
  return (
    <div className="text-xs">
      <button
        type="button"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
        className="flex min-h-6 items-center gap-1 text-ink-3 hover:text-ink"
      >
        <ChevronRight aria-hidden="true" className={cn("size-3.5", open && "rotate-90")} />
        {t("overview.percentiles")}
      </button>
      {open && (
        <div className="flex flex-col gap-2 pt-1 lg:max-w-2xl">
          {ranges.map((range) => (
            <LatencyTable key={range} range={range} {...(providerId === undefined ? {} : { providerId })} />
          ))}
        </div>
      )}
    </div>
  );
}
