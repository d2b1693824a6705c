import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { api, client } from "./client.ts";

const LIMIT = 100;

interface PageOf<T> {
  rows: T[];
  next: string | null;
  total: number;
}

/** A noun's pages, newest first. Not tRPC's own infinite query: that sends a `direction`, which strict inputs refuse. */
function usePages<T>(pathKey: readonly unknown[], read: (cursor: string | null) => Promise<PageOf<T>>, enabled: boolean) {
  const query = useInfiniteQuery({
    queryKey: [...pathKey, "pages"],
    queryFn: ({ pageParam }) => read(pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: ({ next }) => next,
    enabled,
  });
  const rows = useMemo(() => query.data?.pages.flatMap((page) => page.rows) ?? [], [query.data]);
  return { ...query, rows, total: query.data?.pages[0]?.total ?? 0 };
}

/** Keys: one's own, or everybody's for administrators. */
export function useKeyPages() {
  return usePages(api.keys.pathKey(), (cursor) => client.keys.list.query({ limit: LIMIT, cursor }), true);
}

/** Users, for administrators. */
export function useUserPages(enabled = true) {
  return usePages(api.users.pathKey(), (cursor) => client.users.list.query({ limit: LIMIT, cursor }), enabled);
}
