import { ArrowUp } from "lucide-react";
import { useSyncExternalStore } from "react";
import { HELD_MAX } from "../../live/log-limits.ts";
import type { LogTail } from "../../live/log-tail.ts";
import { useTexts } from "../../text/i18n.ts";
import { cn } from "../../ui/class-names.ts";

/** The number of waiting rows: "128 new (3 errors)". Clicking it shows them. */
export function NewRowsPill({ tail, onClick }: { tail: LogTail; onClick(): void }) {
  const { t } = useTexts();
  const { held, heldErrors, heldOverflow } = useSyncExternalStore(tail.onView, tail.view);
  const count = heldOverflow ? t("logs.newMany", { count: HELD_MAX }) : t("logs.new", { count: held });
  return (
    <button
      type="button"
      onClick={onClick}
      className={cn(
        "absolute top-11 left-1/2 z-20 flex h-8 -translate-x-1/2 items-center gap-1.5 rounded-full border bg-raised pr-3.5 pl-2.5 text-xs font-semibold text-ink shadow-pop hover:bg-hover max-md:top-3",
        heldErrors > 0 ? "border-bad" : "border-line-strong",
      )}
    >
      <ArrowUp aria-hidden="true" className="size-3.5 text-accent-ink" />
      <span>
        {count}
        {heldErrors > 0 && <span className="text-bad"> ({t("logs.newErrors", { count: heldErrors })})</span>}
      </span>
    </button>
  );
}
