import { startTransition, useEffect, useState } from "react";
import { client } from "../../api/client.ts";
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

/** The feed of the page's filter; another filter is another feed. Null for the moment before the first effect. */
export function useLogFeed(search: LogSearch): LogFeed | null {
  const key = feedKey(search);
  const [feed, setFeed] = useState<LogFeed | null>(null);
  useEffect(() => {
    const taken = feeds.take(key, () => startLogFeed(filterOf(LogSearch.parse(JSON.parse(key)), serverNow()), source));
    // A feed that was kept brings a full table: the press that led here is answered before that is drawn.
    startTransition(() => setFeed(taken.one));
    return taken.leave;
  }, [key]);
  return feed;
}
