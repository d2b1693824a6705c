import { useCallback, useState } from "react";
import type { LogFeed } from "../../live/log-feed.ts";
import { useTexts } from "../../text/i18n.ts";
import { Button } from "../../ui/button.tsx";

interface GapRowProps {
  feed: LogFeed;
  gap: string;
  index: number;
  start: number;
  height: number;
}

/** A gap left by a reconnect or by too many waiting rows, with a button that fills it. */
export function GapRow({ feed, gap, index, start, height }: GapRowProps) {
  const { t } = useTexts();
  const [busy, setBusy] = useState(false);
  const fill = useCallback(() => {
    setBusy(true);
    feed.fill(gap).finally(() => setBusy(false));
  }, [feed, gap]);
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      style={{ height, transform: `translateY(${start}px)` }}
      className="absolute inset-x-0 top-0 border-b border-dashed border-line-strong bg-sunken text-xs text-ink-2"
    >
      <div role="cell" className="flex h-full items-center justify-center gap-3">
        {t("logs.gap")}
        <Button size="sm" busy={busy} onClick={fill}>
          {t("logs.fillGap")}
        </Button>
      </div>
    </div>
  );
}
