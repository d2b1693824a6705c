import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { api } from "./client.ts";

const LIMIT = 100;

/** Keys, newest first, page by page. */
export function useKeyPages() {
  const query = useInfiniteQuery(api.keys.list.infiniteQueryOptions({ limit: LIMIT }, { getNextPageParam: ({ next }) => next ?? undefined }));
  const rows = useMemo(() => query.data?.pages.flatMap(({ rows }) => rows) ?? [], [query.data]);
  return { ...query, rows, total: query.data?.pages[0]?.total ?? 0 };
}

/** Users, newest first, page by page. */
export function useUserPages(enabled = true) {
  const query = useInfiniteQuery({ ...api.users.list.infiniteQueryOptions({ limit: LIMIT }, { getNextPageParam: ({ next }) => next ?? undefined }), enabled });
  const rows = useMemo(() => query.data?.pages.flatMap(({ rows }) => rows) ?? [], [query.data]);
  return { ...query, rows, total: query.data?.pages[0]?.total ?? 0 };
}
