import { useQuery } from "@tanstack/react-query";
import { api, type Outputs, queryClient } from "../../api/client.ts";
import { useAnswer } from "../../api/use-answer.ts";
import { covered, useTopics } from "../../live/hub.ts";
import { useStore } from "../../live/store.ts";
import { systemBoard } from "../../live/system-board.ts";

const options = api.system.get.queryOptions();
const topics = ["system"] as const;

function readAgain(): void {
  void queryClient.invalidateQueries({ queryKey: api.system.pathKey() });
}

function loadBoard(answer: Outputs["system"]["get"]): void {
  systemBoard.load(answer);
  void covered(answer.busId, topics).then((whole) => whole || readAgain());
}

/** The system as it was read, with processes and breakers updated by their reports. */
export function useSystem() {
  useTopics(topics);
  const query = useQuery({ ...options, refetchOnMount: "always" });
  useAnswer(query.data, loadBoard);
  const { instances, breakers } = useStore(systemBoard);
  const processes = [...instances.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  return { ...query, processes, breakers: [...breakers.values()], readAgain };
}
