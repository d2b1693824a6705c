import { useEffect, useSyncExternalStore } from "react";
import type { LogFeed } from "../../live/log-feed.ts";
import { type ReaderMode, readerCrowded, readerMode } from "../../live/reader.ts";
import { ticks } from "../../live/server-clock.ts";
import { useTexts } from "../../text/i18n.ts";

const nothing = () => () => {};
const never = () => false;

export function usePaused(feed: LogFeed | null): boolean {
  return useSyncExternalStore(feed?.tail.onView ?? nothing, feed ? () => feed.tail.view().mode === "paused" : never);
}

/** Tells the shell's indicator what this page does with the stream. */
export function useReaderMode(feed: LogFeed | null, history: boolean): void {
  useEffect(() => {
    if (!feed) return;
    const tell = (): void => readerMode.set(modeOf(feed, history));
    const look = (): void => readerCrowded.set(feed.tail.crowded());
    const offs = [feed.tail.onView(tell), feed.status.subscribe(tell), ticks.subscribe(look)];
    tell();
    return () => {
      for (const off of offs) off();
      readerMode.set(null);
      readerCrowded.set(false);
    };
  }, [feed, history]);
}

function modeOf(feed: LogFeed, history: boolean): ReaderMode {
  const { mode } = feed.tail.view();
  if (mode === "paused") return "paused";
  if (history) return "history";
  if (feed.status.get().catchingUp) return "catchingUp";
  return mode === "holding" ? "holding" : null;
}

/** Update interval of a hidden tab's title. */
const TITLE_MS = 2_000;

/** Shows "(12 errors) Logs" in the title while the tab is hidden. */
export function useHiddenErrors(feed: LogFeed | null): void {
  const { t } = useTexts();
  useEffect(() => {
    if (!feed) return;
    let timer: ReturnType<typeof setInterval> | undefined;
    let title = "";
    const change = (): void => {
      clearInterval(timer);
      if (!document.hidden) {
        if (title) document.title = title;
        title = "";
        return;
      }
      title = document.title;
      const since = feed.tail.arrived().errors;
      timer = setInterval(() => {
        const count = feed.tail.arrived().errors - since;
        if (count > 0) document.title = t("logs.hiddenErrors", { count, title });
      }, TITLE_MS);
    };
    document.addEventListener("visibilitychange", change);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", change);
      if (title) document.title = title;
    };
  }, [feed, t]);
}
