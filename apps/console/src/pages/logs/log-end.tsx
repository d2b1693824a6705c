import { timeOfId } from "@sluice/core/ids";
import { useSyncExternalStore } from "react";
import { formatExact } from "../../format.ts";
import type { LogFeed } from "../../live/log-feed.ts";
import { SCROLLBACK_MAX } from "../../live/log-limits.ts";
import { useStore } from "../../live/store.ts";
import { useTexts } from "../../text/i18n.ts";
import { Button } from "../../ui/button.tsx";
import { keptText } from "./kept-text.ts";
import { SearchOn } from "./search-on.tsx";

/** Shown below the last row: more is loading, loading failed, the browser holds enough rows, or this is the end. */
export function LogEnd({ feed, onGoOn }: { feed: LogFeed; onGoOn(toMs: number): void }) {
  const { t, language } = useTexts();
  const { older, searchedToMs, kept, partial } = useStore(feed.status);
  const { tail } = feed;
  const full = useSyncExternalStore(tail.onView, () => tail.view().order.length >= SCROLLBACK_MAX);
  const ended = useSyncExternalStore(tail.onView, () => tail.floor === "");
  return (
    <div role="rowgroup">
      <div role="row">
        <div
          role="cell"
          className="sticky left-0 flex min-h-12 max-w-[100cqw] flex-wrap items-center justify-center gap-3 px-4 py-3 text-xs text-ink-3"
        >
          {searchedToMs !== null && !full && !ended && <SearchOn feed={feed} />}
          {older === "loading" && searchedToMs === null && t("logs.loadingOlder")}
          {older === "error" && t("logs.olderFailed")}
          {full && !ended && (
            <>
              {t("logs.full", { rows: formatExact(tail.view().order.length, language) })}
              <Button size="sm" onClick={() => onGoOn(timeOfId(tail.floor) + 1)}>
                {t("logs.goOn")}
              </Button>
            </>
          )}
          {older !== "loading" && searchedToMs === null && !full && !ended && (
            // Reaching it loads them by itself, and takes the button and its focus away: the way on by Tab leads past it.
            <Button size="sm" tabIndex={older === "error" ? 0 : -1} onClick={() => void feed.older()}>
              {t("logs.loadOlder")}
            </Button>
          )}
          {ended && partial && t("logs.whenBack")}
          {ended && !partial && (kept ? t("logs.keptSince", keptText(kept, language)) : t("logs.end"))}
        </div>
      </div>
    </div>
  );
}
