import { CirclePause, CirclePlay, Hand, History, ListFilter, Moon, Radio, RefreshCw, WifiOff } from "lucide-react";
import type { ComponentType } from "react";
import { clockParts } from "../format.ts";
import { type Connection, connection } from "../live/connection.ts";
import { arrivalRate, readerCrowded, readerMode } from "../live/reader.ts";
import { ticks } from "../live/server-clock.ts";
import { useStore, useStored } from "../live/store.ts";
import { useTexts } from "../text/i18n.ts";

interface Look {
  text: string;
  icon: ComponentType<{ className?: string; "aria-hidden"?: "true" }>;
  tone: string;
  live?: boolean;
  title?: string;
}

/** Time of the last frame, rounded to seconds for display: frames arrive ten times as often. */
const frameSecond = ({ lastFrameAtMs }: Connection): number => Math.floor(lastFrameAtMs / 1_000) * 1_000;

/** How current the screen is: in words, shape and colour, always visible. */
export function LiveIndicator() {
  const { t } = useTexts();
  const look = useLook();
  const rate = useRate();
  const lastFrameAtMs = useStored(connection, frameSecond);
  const Icon = look.icon;
  const live = look.live ?? false;
  return (
    <div
      className="flex h-7 items-center gap-1.5 rounded-full border border-line bg-surface pr-2.5 pl-2 text-xs font-medium"
      title={
        look.title ??
        (lastFrameAtMs ? t("live.offlineAsOf", { time: clockParts(lastFrameAtMs).time }).replace(/^.*?[,，]\s*/, "") : undefined)
      }
    >
      <Icon aria-hidden="true" className={`size-3.5 ${look.tone}`} />
      <span role="status" aria-label={t("live.label")} className={look.tone}>
        {look.text}
      </span>
      {live && rate > 0 && (
        <span aria-hidden="true" className="text-ink-3">
          {t("live.rate", { rate })}
        </span>
      )}
    </div>
  );
}

function useRate(): number {
  useStore(ticks);
  return arrivalRate();
}

function useLook(): Look {
  const { t } = useTexts();
  const phase = useStored(connection, (now) => now.phase);
  const retryAtMs = useStored(connection, (now) => now.retryAtMs);
  const lastFrameAtMs = useStored(connection, frameSecond);
  const sample = useStored(connection, (now) => now.sample);
  const mode = useStore(readerMode);
  const crowded = useStore(readerCrowded);
  useStore(ticks);
  if (phase === "connecting") return { text: t("live.connecting"), icon: RefreshCw, tone: "text-idle" };
  if (phase === "asleep") return { text: t("live.asleep"), icon: Moon, tone: "text-idle" };
  if (phase === "catchingUp") return { text: t("live.catchingUp"), icon: CirclePlay, tone: "text-accent-ink" };
  if (phase === "offline") {
    const text = lastFrameAtMs ? t("live.offlineAsOf", { time: clockParts(lastFrameAtMs).time }) : t("live.offline");
    return { text, icon: WifiOff, tone: "text-bad" };
  }
  if (phase === "reconnecting") {
    const seconds = Math.ceil((retryAtMs - Date.now()) / 1_000);
    return { text: seconds > 1 ? t("live.reconnectingIn", { seconds }) : t("live.reconnecting"), icon: RefreshCw, tone: "text-warn" };
  }
  if (mode === "paused") return { text: t("live.paused"), icon: CirclePause, tone: "text-warn" };
  if (mode === "catchingUp") return { text: t("live.catchingUp"), icon: CirclePlay, tone: "text-accent-ink" };
  if (mode === "history") return { text: t("live.history"), icon: History, tone: "text-idle" };
  if (crowded && sample && mode === null)
    return { text: t("live.sampled", { sample }), icon: ListFilter, tone: "text-warn", live: true, title: t("live.sampledMore") };
  if (mode === "holding") return { text: t("live.holding"), icon: Hand, tone: "text-accent-ink" };
  return { text: t("live.live"), icon: Radio, tone: "text-ok", live: true };
}
