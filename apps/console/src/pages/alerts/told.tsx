import { Check, Clock, X } from "lucide-react";
import { clockParts } from "../../format.ts";
import { useTexts } from "../../text/i18n.ts";
import type { Channel, Incident } from "./alert-words.ts";

type Delivery = Incident["deliveries"][number];

const faces = {
  delivered: { Icon: Check, tone: "text-ok" },
  pending: { Icon: Clock, tone: "text-ink-3" },
  failed: { Icon: X, tone: "text-bad" },
} as const;

/** Delivery state of an incident's messages, by channel. */
export function Told({ deliveries, channels }: { deliveries: readonly Delivery[]; channels: readonly Channel[] }) {
  const { t } = useTexts();
  if (deliveries.length === 0) return <span className="text-xs text-ink-3">{t("alerts.untold")}</span>;
  const nameOf = (id: string): string => channels.find((channel) => channel.id === id)?.name ?? id.slice(-8);
  return (
    <ul className="flex flex-col gap-0.5 text-xs text-ink-2">
      {deliveries
        .toSorted((a, b) => a.transition.localeCompare(b.transition))
        .map((delivery) => {
          const { channelId, transition, state, attempts, nextAtMs, answer } = delivery;
          const { Icon, tone } = faces[state];
          const key = state === "pending" && attempts > 0 ? "retry" : state;
          return (
            <li key={`${channelId} ${transition}`} className="flex items-start gap-1.5">
              <Icon aria-hidden="true" className={`mt-0.5 size-3.5 shrink-0 ${tone}`} />
              <span className="[overflow-wrap:anywhere]">
                {t(`alerts.transition.${transition}`)} ·{" "}
                {t(`alerts.delivery.${key}`, { channel: nameOf(channelId), answer, time: clockParts(nextAtMs).time })}
              </span>
            </li>
          );
        })}
    </ul>
  );
}
