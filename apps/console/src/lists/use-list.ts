import type { Page } from "@sluice/core/inputs/page";
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { api, queryClient } from "../api/client.ts";
import { covered, listen, useTopics } from "../live/hub.ts";
import { createUsageBoard, type Usage } from "../live/usage-board.ts";

/** One board for all lists: what one page was pushed, the next one knows. */
export const usageBoard = createUsageBoard();
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

/**
 * A list read page by page. Not tRPC's own infinite query: that sends a `direction`, which strict inputs refuse. While
 * another order or filter is read, the rows of the one before stay.
 */
export function useList<T extends Counted, I extends object>(
  pathKey: readonly unknown[],
  input: I,
  read: (input: I & { cursor: string | null }) => Promise<Page<T> & { busId: string }>,
) {
  const query = useInfiniteQuery({
    queryKey: [...pathKey, "list", input],
    queryFn: ({ pageParam }) => read({ ...input, cursor: pageParam }),
    initialPageParam: null as string | null,
    getNextPageParam: ({ nextCursor }) => nextCursor,
    placeholderData: keepPreviousData,
  });
  const items = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  useFigures(items);
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

/** Takes the figures of a list that was read, and has them moved on. */
export function useFigures(items: readonly Counted[]): void {
  useTopics(topics);
  useEffect(() => usageBoard.load(items), [items]);
}
