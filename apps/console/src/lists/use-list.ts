import type { Page } from "@sluice/core/inputs/page";
import type { Recent } from "@sluice/core/statistics";
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { api, queryClient } from "../api/client.ts";
import { covered, listen, useTopics } from "../live/hub.ts";
import { serverNow } from "../live/server-clock.ts";
import { createUsageBoard, type Usage } from "../live/usage-board.ts";

/** One board for all lists, so that events received on one page are known on the next. */
export const usageBoard = createUsageBoard(serverNow);
const topics = ["logs"] as const;
listen({
  of: topics,
  events: (events) => usageBoard.push(events),
  reset() {
    for (const queryKey of [api.keys.pathKey(), api.users.pathKey()]) void queryClient.invalidateQueries({ queryKey });
  },
});

interface Counted {
  id: string;
  totals?: Usage | undefined;
}

interface CountedList {
  items: readonly Counted[];
  recent?: Recent | undefined;
}

/**
 * A list read page by page. Not tRPC's infinite query, because that sends a `direction`, which strict inputs refuse. While another order
 * or filter loads, the previous rows stay.
 */
export function useList<T extends Counted, I extends object>(
  pathKey: readonly unknown[],
  input: I,
  read: (input: I & { cursor: string | null }) => Promise<Page<T> & { busId: string; recent?: Recent | undefined }>,
) {
  const query = useInfiniteQuery({
    queryKey: [...pathKey, "list", input],
    queryFn: ({ pageParam }) => read({ ...input, cursor: pageParam }),
    initialPageParam: null as string | null,
    getNextPageParam: ({ nextCursor }) => nextCursor,
    placeholderData: keepPreviousData,
  });
  const items = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  useFigures(query.data?.pages ?? noLists);
  const { refetch } = query;
  const readAt = query.data?.pages[0]?.busId;
  // A request that ended after the list was read and before the stream began is in neither.
  useEffect(() => {
    if (readAt === undefined) return;
    void covered(readAt, topics).then((whole) => {
      if (!whole) void refetch();
    });
  }, [readAt, refetch]);
  return { ...query, items };
}

/** Loads the totals of lists and keeps them current by events. */
export function useFigures(lists: readonly CountedList[]): void {
  useTopics(topics);
  useEffect(() => lists.forEach(usageBoard.load), [lists]);
}

const noLists: readonly CountedList[] = [];
