import { useQuery } from "@tanstack/react-query";
import { api } from "../../api/client.ts";
import { useAnswer } from "../../api/use-answer.ts";
import { createFiguresBoard } from "../../live/figures-board.ts";
import { listen, useTopics } from "../../live/hub.ts";
import { useStore } from "../../live/store.ts";

const options = api.system.figures.queryOptions();
const topics = ["figures"] as const;

const board = createFiguresBoard();
listen({ events: board.push });

/** Figures as read when the page opened, updated by the processes' reports every five seconds while it is open. */
export function useFigures() {
  useTopics(topics);
  const query = useQuery({ ...options, refetchOnMount: "always" });
  useAnswer(query.data, board.load);
  const { processes, stores } = useStore(board);
  return { ...query, processes: [...processes.values()].sort((a, b) => (a.now.instanceId < b.now.instanceId ? -1 : 1)), stores };
}
