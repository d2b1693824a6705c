import { startTransition, useEffect, useState } from "react";
import { api, client, queryClient } from "../../api/client.ts";
import { frameSchedule } from "../../live/frame-schedule.ts";
import { covered, listenTo } from "../../live/hub.ts";
import { createKeeper } from "../../live/keeper.ts";
import { type LogFeed, type LogSource, startLogFeed } from "../../live/log-feed.ts";
import { serverNow } from "../../live/server-clock.ts";
import { feedKey, filterOf, LogSearch } from "./search.ts";

const schedule = frameSchedule();

const topics = ["logs"] as const;

const source: LogSource = {
  list: (input) => client.logs.list.query(input),
  byIds: (ids) => client.logs.byIds.query({ ids }),
  // A feed that is kept for a while keeps the topic, too.
  listen: (listener) => listenTo(topics, listener),
  covered: (busId) => covered(busId, topics),
  schedule,
};

const feeds = createKeeper<LogFeed>(({ status, tail }) => {
  // What was being read by hand is at the top again next time.
  tail.setPaused(false);
  tail.setHolding(false);
  // A failure is not kept.
  return status.get().phase === "ready";
});

/** A page that is about to be drawn takes its feed before this is over. */
const PREPARED_MS = 10_000;

const take = (key: string) => feeds.take(key, () => startLogFeed(filterOf(LogSearch.parse(JSON.parse(key)), serverNow()), source));

/** Begins to read what the page will show, while its code is still being drawn. */
export function prepareLog(search: LogSearch): void {
  setTimeout(take(feedKey(search)).leave, PREPARED_MS);
  void queryClient.prefetchQuery(api.names.list.queryOptions());
}

/** The feed of the page's filter; another filter is another feed. Null for the moment before the first effect. */
export function useLogFeed(search: LogSearch): LogFeed | null {
  const key = feedKey(search);
  const [feed, setFeed] = useState<LogFeed | null>(null);
  useEffect(() => {
    const taken = take(key);
    // A feed that was kept brings a full table: the press that led here is answered before that is drawn.
    startTransition(() => setFeed(taken.one));
    return taken.leave;
  }, [key]);
  return feed;
}
