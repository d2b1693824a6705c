import type { InstanceState } from "@sluice/core/events";
import { CircleAlert, CircleCheck, LogOut } from "lucide-react";
import { formatAgo } from "../../format.ts";
import { ticks } from "../../live/server-clock.ts";
import { GONE_AFTER_MS } from "../../live/settled-up-to.ts";
import { useStore } from "../../live/store.ts";
import { useTexts } from "../../text/i18n.ts";
import { Badge } from "../../ui/badge.tsx";

/** Whether an instance still reports. */
export function Seen({ instance }: { instance: InstanceState }) {
  const { t, language } = useTexts();
  const agoMs = useStore(ticks) - instance.seenAtMs;
  if (agoMs > GONE_AFTER_MS)
    return (
      <span title={t("system.goneHint")}>
        <Badge tone="bad">
          <CircleAlert aria-hidden="true" />
          {t("system.gone")} · {formatAgo(agoMs, language)}
        </Badge>
      </span>
    );
  if (instance.gateway?.draining)
    return (
      <Badge tone="warn">
        <LogOut aria-hidden="true" />
        {t("system.draining")}
      </Badge>
    );
  return (
    <Badge tone="ok">
      <CircleCheck aria-hidden="true" />
      {t("system.up")}
    </Badge>
  );
}
