import type { ProviderOverride } from "@sluice/core/routing/provider-override";
import { overrideNow } from "@sluice/core/routing/provider-override";
import { Hand } from "lucide-react";
import { formatElapsed } from "../../format.ts";
import { serverNow, ticks } from "../../live/server-clock.ts";
import { useStore } from "../../live/store.ts";
import { useTexts } from "../../text/i18n.ts";
import { Button } from "../../ui/button.tsx";

export const overrideNames = { open: "isOpen", drain: "isDrain", closed: "isClosed" } as const;

/** The override in force by the server's clock, updated every second. */
export function useOverride(override: ProviderOverride | undefined): ProviderOverride | null {
  useStore(ticks);
  return override && overrideNow({ override }, serverNow()) ? override : null;
}

/** An administrator's override: its kind, remaining time and note, and the button that lifts it. */
export function OverrideBanner({ override, onLift }: { override: ProviderOverride; onLift(): void }) {
  const { t } = useTexts();
  const leftMs = override.untilMs === null ? null : override.untilMs - serverNow();
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-1.5 rounded-lg border border-warn/40 bg-warn-soft px-3 py-2 text-sm">
      <Hand aria-hidden="true" className="size-4 shrink-0 text-warn" />
      <p className="min-w-0 flex-1 [overflow-wrap:anywhere]">
        <span className="font-medium text-warn">{t(`providers.override.${overrideNames[override.kind]}`)}</span>{" "}
        <span className="text-ink-2 tabular-nums">
          · {leftMs === null ? t("providers.override.noEnd") : t("providers.override.left", { time: formatElapsed(leftMs + 999) })}
        </span>
        {override.note && <span className="block text-xs text-ink-2">{override.note}</span>}
      </p>
      <Button size="sm" onClick={onLift}>
        {t("providers.override.lift")}
      </Button>
    </div>
  );
}
