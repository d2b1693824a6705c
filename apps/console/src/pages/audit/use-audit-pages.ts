import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { api, client, queryClient } from "../../api/client.ts";
import { listen } from "../../live/hub.ts";
import { serverNow } from "../../live/server-clock.ts";
import { type AuditSearch, auditFilter } from "./search.ts";

const LIMIT = 50;

/**
 * Pages of the audit. When a push announces an entry, the first page is reloaded if it is the only one; a reader who has loaded more is
 * asked, because a reload would move the rows.
 */
export function useAuditPages(search: AuditSearch) {
  const queryKey = [...api.audit.pathKey(), "pages", JSON.stringify(search)];
  const query = useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam }) => client.audit.list.query({ filter: auditFilter(search, serverNow()), cursor: pageParam, limit: LIMIT }),
    initialPageParam: null as string | null,
    getNextPageParam: ({ nextCursor, hasMore }) => (hasMore ? nextCursor : null),
    // It may have grown while nobody looked.
    refetchOnMount: "always",
  });
  const [fresh, setFresh] = useState(false);
  const pages = query.data?.pages.length ?? 0;
  const key = JSON.stringify(queryKey);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const off = listen({
      events(events) {
        if (!events.some(({ type }) => type === "audit.added")) return;
        if (pages > 1) return setFresh(true);
        clearTimeout(timer);
        timer = setTimeout(() => void queryClient.invalidateQueries({ queryKey: JSON.parse(key) as unknown[] }), 250);
      },
    });
    return () => {
      off();
      clearTimeout(timer);
    };
  }, [pages, key]);

  function restart(): void {
    setFresh(false);
    void queryClient.resetQueries({ queryKey });
  }
  const entries = query.data?.pages.flatMap(({ items }) => items) ?? [];
  return { ...query, entries, fresh, restart };
}
