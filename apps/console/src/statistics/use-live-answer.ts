import type { RequestRow } from "@sluice/core/requests";
import type { Answered, Recent } from "@sluice/core/statistics";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef } from "react";
import { createEndedRows, type EndedRow, uncounted } from "../live/ended-rows.ts";
import { frameSchedule } from "../live/frame-schedule.ts";
import { listenTo } from "../live/hub.ts";
import { serverNow } from "../live/server-clock.ts";
import { createStore, useStore } from "../live/store.ts";

/** A page about the past changes at most this often. */
const PACE_MS = 500;
/** Minimum interval between reads of a live answer while requests end, and a delay by which they are settled. */
const READ_AGAIN_MS = 5_000;
const SETTLED_MS = 1_500;

const ended = createEndedRows(serverNow);
const heard = createStore<readonly EndedRow[]>([]);
const schedule = frameSchedule(PACE_MS);
let pending = false;

function show(): void {
  pending = false;
  heard.set(ended.list());
}

interface LiveAnswer<T> {
  data: T | undefined;
  error: unknown;
  busy: boolean;
  retry(): void;
}

/**
 * An answer about the past: read when the page opens or the question changes and, when `goesOn`, again while requests end and the page is
 * visible. Without traffic no request is made. `key` is the question without the time of asking.
 */
export function useLiveAnswer<T extends Answered>(key: readonly unknown[], read: () => Promise<T>, goesOn: boolean): LiveAnswer<T> {
  const { data, error, isFetching, refetch } = useQuery({
    queryKey: key,
    queryFn: read,
    // Another range or filter is read again; the previous answer stays visible meanwhile.
    staleTime: 0,
    placeholderData: keepPreviousData,
    structuralSharing: false,
  });
  const again = useRef(refetch);
  again.current = refetch;
  useEffect(() => {
    if (!goesOn) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let readAtMs = performance.now();
    let due = false;
    const readSoon = (): void => {
      due = document.hidden;
      if (due || timer !== undefined) return;
      timer = setTimeout(
        () => {
          timer = undefined;
          readAtMs = performance.now();
          void again.current();
        },
        Math.max(SETTLED_MS, readAtMs + READ_AGAIN_MS - performance.now()),
      );
    };
    const seen = (): void => {
      if (due) readSoon();
    };
    const stop = listenTo(["logs"], {
      events(events) {
        if (!events.some(({ type }) => type === "request.finished" || type === "request.refused" || type === "request.corrected")) return;
        ended.push(events);
        readSoon();
        if (pending) return;
        pending = true;
        schedule(show);
      },
      reset: readSoon,
    });
    document.addEventListener("visibilitychange", seen);
    return () => {
      stop();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", seen);
    };
  }, [goesOn]);
  return { data, error, busy: isFetching, retry: () => void refetch() };
}

/** Ended requests that an answer does not include. */
export function useUncounted(recent: Recent | undefined): RequestRow[] {
  const rows = useStore(heard);
  return useMemo(() => (recent === undefined ? [] : uncounted(rows, recent)), [rows, recent]);
}
