import type { GetOverviewInput } from "@sluice/core/inputs/overview";
import { useQuery } from "@tanstack/react-query";
import { api, client, type Outputs, queryClient } from "../../api/client.ts";
import { useAnswer } from "../../api/use-answer.ts";
import { frameSchedule } from "../../live/frame-schedule.ts";
import { covered, listen, useTopics } from "../../live/hub.ts";
import { createOverviewBoard, type OverviewView } from "../../live/overview-board.ts";
import { serverNow } from "../../live/server-clock.ts";
import { useStore } from "../../live/store.ts";

/** The page changes at most this often. */
const PACE_MS = 500;

const board = createOverviewBoard({
  now: serverNow,
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
  schedule: frameSchedule(PACE_MS),
  readAgain,
});

function readAgain(): void {
  void queryClient.invalidateQueries({ queryKey: api.overview.get.pathKey() });
}

const topics = ["logs", "sessions"] as const;

// Registered for the life of the document, so that the page immediately shows the latest state when it is reopened.
listen({
  of: topics,
  events(events, at, after) {
    board.push(events, at, after);
    if (events.some((event) => event.type === "settings.changed" && event.names.includes("time.zone"))) readAgain();
  },
  reset: readAgain,
});

/** Range and split of the board's figures. */
let shown = "";

function load(answer: Outputs["overview"]["get"]): void {
  board.load(answer);
  shown = JSON.stringify({ range: answer.range, by: answer.by });
  void covered(answer.busId, topics).then((whole) => whole || readAgain());
}

/** The figures of a range, kept current by the stream. While another range loads, the previous one stays. */
export function useOverview(input: GetOverviewInput): { view: OverviewView | null; error: unknown; busy: boolean; retry(): void } {
  useTopics(topics);
  const view = useStore(board);
  const { data, error, isFetching, refetch } = useQuery({
    queryKey: api.overview.get.queryKey(input),
    async queryFn() {
      const end = board.expect();
      try {
        return await client.overview.get.query(input);
      } finally {
        end();
      }
    },
    structuralSharing: false,
    // The shown range is kept current; a cached answer for another range may be outdated.
    ...(shown === JSON.stringify(input) ? {} : { staleTime: 0 }),
  });
  useAnswer(data, load);
  return { view, error, busy: isFetching, retry: () => void refetch() };
}
