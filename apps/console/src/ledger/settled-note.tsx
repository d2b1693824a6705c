import { clockParts, formatDuration } from "../format.ts";
import { useTopics } from "../live/hub.ts";
import { serverNow } from "../live/server-clock.ts";
import { settledUpTo } from "../live/settled-up-to.ts";
import { useStore } from "../live/store.ts";
import { systemBoard } from "../live/system-board.ts";
import { useTexts } from "../text/i18n.ts";

const topics = ["system"] as const;

/** The time up to which sums are complete. Only for administrators, who receive the gateways' reports. */
export function SettledNote() {
  const { t } = useTexts();
  useTopics(topics);
  const settled = settledUpTo(useStore(systemBoard).instances.values(), serverNow());
  if (!settled) return null;
  return (
    <span className="tabular-nums">
      {t("ledger.settledUpTo", { time: clockParts(settled.atMs).time, lag: formatDuration(settled.lagMs) })}
    </span>
  );
}
