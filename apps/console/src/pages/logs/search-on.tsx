import { clockParts, formatDay } from "../../format.ts";
import type { LogFeed } from "../../live/log-feed.ts";
import { useStore } from "../../live/store.ts";
import { useTexts } from "../../text/i18n.ts";
import { Button } from "../../ui/button.tsx";

/** How far back a search went, and the button that continues it: always the same button, so that it keeps the focus. */
export function SearchOn({ feed, onFound }: { feed: LogFeed; onFound?: () => void }) {
  const { t } = useTexts();
  const { searching } = useStore(feed.status);
  const searchedTo = useSearchedTo(feed);
  return (
    <>
      <span role="status">{t(searching ? "logs.searching" : "logs.searchedTo", { time: searchedTo })}</span>
      <Button size="sm" onClick={() => (searching ? feed.stopSearch() : void feed.searchOn().then(onFound))}>
        {t(searching ? "logs.stopSearch" : "logs.searchOn")}
      </Button>
    </>
  );
}

/** The day and time down to which everything was searched. */
export function useSearchedTo(feed: LogFeed): string {
  const { language } = useTexts();
  const { searchedToMs } = useStore(feed.status);
  return searchedToMs === null ? "" : `${formatDay(searchedToMs, language)} ${clockParts(searchedToMs).time}`;
}
