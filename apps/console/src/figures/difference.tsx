import { ArrowDown, ArrowRight, ArrowUp } from "lucide-react";
import { useTexts } from "../text/i18n.ts";
import { cn } from "../ui/class-names.ts";

interface DifferenceProps {
  /** null = nothing was measured. */
  now: number | null;
  then: number | null;
  /** Whether the values are shares, compared in percentage points. */
  points?: boolean;
  /** Text when there is no difference. */
  same: string;
}

/** The change since before: an arrow, words and a percentage; nothing when there is nothing to compare. */
export function Difference({ now, then, points = false, same: sameText }: DifferenceProps) {
  const { t } = useTexts();
  const difference = points ? pointsBetween(now, then) : percentBetween(now, then);
  if (difference === null) return null;
  const amount = Math.abs(difference) >= 999.5 ? ">999" : Math.abs(difference).toFixed(1);
  const same = Number(amount) === 0;
  const Icon = same ? ArrowRight : difference > 0 ? ArrowUp : ArrowDown;
  return (
    <p className={cn("flex items-center gap-1 font-medium", same ? "text-ink-3" : "text-ink-2")}>
      <Icon aria-hidden="true" className="size-3 shrink-0" />
      <span className="truncate">
        {same ? sameText : t(`overview.${difference > 0 ? "more" : "less"}.${points ? "points" : "percent"}`, { amount })}
      </span>
    </p>
  );
}

function pointsBetween(now: number | null, then: number | null): number | null {
  return now === null || then === null ? null : (now - then) * 100;
}

function percentBetween(now: number | null, then: number | null): number | null {
  return now === null || then === null || then <= 0 ? null : ((now - then) / then) * 100;
}
