import { startTransition, useEffect, useState } from "react";
import { api, client, queryClient } from "../../api/client.ts";
import { whenLive } from "../../live/connection.ts";
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
  // A kept feed also keeps the topic.
  listen: (listener) => listenTo(topics, listener),
  covered: (busId) => covered(busId, topics),
  whenLive,
  schedule,
};

const feeds = createKeeper<LogFeed>(({ status, tail }) => {
  // A paused or held feed starts at the top next time.
  tail.setPaused(false);
  tail.setHolding(false);
  // Failures are not kept.
  return status.get().phase === "ready";
});

/** A page that is about to be rendered takes its feed within this time. */
const PREPARED_MS = 10_000;

const take = (key: string) => feeds.take(key, () => startLogFeed(filterOf(LogSearch.parse(JSON.parse(key)), serverNow()), source));

/** Starts reading what the page will show while its code is still loading. */
export function prepareLog(search: LogSearch): void {
  setTimeout(take(feedKey(search)).leave, PREPARED_MS);
  void queryClient.prefetchQuery(api.names.list.queryOptions());
}

/** The feed of the page's filter; null until the first effect. */
export function useLogFeed(search: LogSearch): LogFeed | null {
  const key = feedKey(search);
  const [feed, setFeed] = useState<LogFeed | null>(null);
  useEffect(() => {
    const taken = take(key);
    // A kept feed brings a full table: the click that led here is answered before that is rendered.
    startTransition(() => setFeed(taken.one));
    return taken.leave;
  }, [key]);
  return feed;
}
