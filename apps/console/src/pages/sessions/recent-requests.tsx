import { FINAL_REV, revOfState } from "@sluice/core/events";
import type { RequestRow } from "@sluice/core/requests";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CircleX } from "lucide-react";
import { useEffect, useState } from "react";
import { api, client } from "../../api/client.ts";
import { clockParts, formatCost, formatDuration } from "../../format.ts";
import { listenTo } from "../../live/hub.ts";
import { useTexts } from "../../text/i18n.ts";
import { Button } from "../../ui/button.tsx";
import { FailureBox, SkeletonRows } from "../../ui/states.tsx";
import { toastDone } from "../../ui/toast.tsx";
import { useToastFailure } from "../../ui/use-toast-failure.ts";

const SHOWN = 10;
interface Heard {
  row: RequestRow;
  rev: number;
}

/** The newest requests of a session: read once, then updated by push. */
export function RecentRequests({ sessionId }: { sessionId: string }) {
  const { t } = useTexts();
  const heard = useHeardRequests(sessionId);
  const input = { filter: { sessionId }, limit: SHOWN };
  const { data, error, refetch } = useQuery({
    queryKey: ["session-requests", sessionId],
    queryFn: () => client.logs.list.query(input),
    staleTime: 0,
  });
  const rows = new Map<string, Heard>();
  for (const row of data?.items ?? []) rows.set(row.id, { row, rev: revOfState(row.state) });
  for (const one of heard.values()) if (one.rev > (rows.get(one.row.id)?.rev ?? -1)) rows.set(one.row.id, one);
  const newest = [...rows.values()].sort((a, b) => (a.row.id < b.row.id ? 1 : -1)).slice(0, SHOWN);
  if (error) return <FailureBox error={error} onRetry={() => void refetch()} />;
  if (!data) return <SkeletonRows rows={3} className="-mx-4" />;
  if (newest.length === 0) return <p className="text-sm text-ink-2">{t("sessions.noRequests")}</p>;
  return (
    <ul className="divide-y divide-line rounded-lg border border-line">
      {newest.map(({ row, rev }) => (
        <RecentRequest key={row.id} row={row} over={rev >= FINAL_REV} />
      ))}
    </ul>
  );
}

function RecentRequest({ row, over }: { row: RequestRow; over: boolean }) {
  const { t } = useTexts();
  const toastFailure = useToastFailure();
  const cancel = useMutation(
    api.logs.cancel.mutationOptions({
      onSuccess: ({ cancelled }) => toastDone(t(cancelled ? "sessions.cancelled" : "sessions.alreadyOver")),
      onError: toastFailure,
    }),
  );
  return (
    <li data-request={row.id} className="flex min-h-10 items-center gap-3 py-1 pr-1.5 pl-3 text-sm">
      <Link to="/logs" search={{ session: row.sessionId, log: row.id }} className="font-mono text-xs text-accent-ink hover:underline">
        {clockParts(row.startedAtMs).time}
      </Link>
      <span className="min-w-0 flex-1 truncate">{t(`state.${row.state}`)}</span>
      <span className="text-xs whitespace-nowrap text-ink-2 tabular-nums">{over && formatDuration(row.durationMs)}</span>
      <span className="min-w-20 text-right text-xs whitespace-nowrap tabular-nums">{over && formatCost(row.costNanoUsd)}</span>
      {row.state === "in_flight" ? (
        <Button
          variant="ghost"
          size="iconSm"
          aria-label={t("sessions.cancel")}
          title={t("sessions.cancel")}
          busy={cancel.isPending}
          onClick={() => cancel.mutate({ id: row.id })}
        >
          {!cancel.isPending && <CircleX aria-hidden="true" />}
        </Button>
      ) : (
        <span className="w-7" />
      )}
    </li>
  );
}

/** What the stream reports about a session's requests while the drawer is open. */
function useHeardRequests(sessionId: string): ReadonlyMap<string, Heard> {
  const [heard, setHeard] = useState<ReadonlyMap<string, Heard>>(new Map());
  useEffect(() => {
    setHeard(new Map());
    return listenTo(["logs"], {
      events(events) {
        const ours = events.flatMap((event) => ("rev" in event && event.row.sessionId === sessionId ? [event] : []));
        if (ours.length === 0) return;
        setHeard((before) => {
          const next = new Map(before);
          for (const { row, rev } of ours) if (rev > (next.get(row.id)?.rev ?? -1)) next.set(row.id, { row, rev });
          for (const id of [...next.keys()].sort().slice(0, Math.max(0, next.size - 5 * SHOWN))) next.delete(id);
          return next;
        });
      },
    });
  }, [sessionId]);
  return heard;
}
