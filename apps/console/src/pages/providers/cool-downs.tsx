import type { CoolDown } from "@sluice/core/events";
import { Snowflake } from "lucide-react";
import { formatElapsed } from "../../format.ts";
import { serverNow, ticks } from "../../live/server-clock.ts";
import { useStore } from "../../live/store.ts";
import { useTexts } from "../../text/i18n.ts";

/** Credentials that are cooling off, each with the reason and the remaining time by the server's clock. */
export function CoolDowns({ coolDowns }: { coolDowns: readonly CoolDown[] }) {
  return coolDowns.length > 0 ? <Cooling coolDowns={coolDowns} /> : null;
}

function Cooling({ coolDowns }: { coolDowns: readonly CoolDown[] }) {
  const { t } = useTexts();
  useStore(ticks);
  const now = serverNow();
  const cooling = coolDowns.filter(({ untilMs }) => untilMs > now).toSorted((a, b) => a.label.localeCompare(b.label));
  if (cooling.length === 0) return null;
  return (
    <ul className="flex flex-col gap-1.5">
      {cooling.map(({ label, untilMs, cause }) => (
        <li key={label} className="flex items-start gap-1.5 text-xs text-ink-2">
          <Snowflake aria-hidden="true" className="mt-0.5 size-3.5 shrink-0 text-warn" />
          <span className="min-w-0 [overflow-wrap:anywhere]">
            <span className="font-medium text-ink">{t("providers.credentials.cooling", { label })}</span>
            <span className="tabular-nums"> · {t("providers.credentials.coolsFor", { time: formatElapsed(untilMs - now + 999) })}</span> ·{" "}
            {cause}
          </span>
        </li>
      ))}
    </ul>
  );
}
