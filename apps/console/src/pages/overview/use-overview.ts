import type { GetOverviewInput } from "@sluice/core/inputs/overview";
import { useQuery } from "@tanstack/react-query";
import { api, client, type Outputs, queryClient } from "../../api/client.ts";
import { useAnswer } from "../../api/use-answer.ts";
import { frameSchedule } from "../../live/frame-schedule.ts";
import { covered, listen, useTopics } from "../../live/hub.ts";
import { createOverviewBoard, type OverviewView } from "../../live/overview-board.ts";
import { serverNow } from "../../live/server-clock.ts";
import { useStore } from "../../live/store.ts";

/** The page changes at most so often, whatever happens. */
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

// For as long as the document lives, so that the page shows the last state at once when it is come back to.
listen({
  of: topics,
  events(events, at, after) {
    board.push(events, at, after);
    if (events.some((event) => event.type === "settings.changed" && event.names.includes("time.zone"))) readAgain();
  },
  reset: readAgain,
});

/** The range and split that the board is of. */
let shown = "";

function load(answer: Outputs["overview"]["get"]): void {
  board.load(answer);
  shown = JSON.stringify({ range: answer.range, by: answer.by });
  void covered(answer.busId, topics).then((whole) => whole || readAgain());
}

/** The figures for a range, kept current by the stream. While another range is read, what was shown stays. */
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
    // What the board shows is kept current; what it showed for another range is old.
    ...(shown === JSON.stringify(input) ? {} : { staleTime: 0 }),
  });
  useAnswer(data, load);
  return { view, error, busy: isFetching, retry: () => void refetch() };
}
