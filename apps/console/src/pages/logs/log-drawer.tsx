import type { LiveEvent } from "@sluice/core/events";
import type { RequestRow } from "@sluice/core/requests";
import { useQuery } from "@tanstack/react-query";
import { ChevronDown, ChevronUp, X } from "lucide-react";
import { useEffect, useState } from "react";
import { api, type Outputs, queryClient } from "../../api/client.ts";
import type { NameLookup } from "../../api/names.ts";
import { listenTo } from "../../live/hub.ts";
import type { LogFeed } from "../../live/log-feed.ts";
import { isGap } from "../../live/log-order.ts";
import { useTexts } from "../../text/i18n.ts";
import { Button } from "../../ui/button.tsx";
import { CopyButton } from "../../ui/copy-button.tsx";
import { ScrollRegion } from "../../ui/scroll-region.tsx";
import { FailureBox, SkeletonRows } from "../../ui/states.tsx";
import { AttemptTimeline, DecisionView } from "./detail-decision.tsx";
import { CostHistoryView } from "./detail-history.tsx";
import { ErrorView, OverviewView, UsageView } from "./detail-sections.tsx";
import { TimingsView } from "./detail-timings.tsx";
import { DrawerActions } from "./drawer-actions.tsx";
import { useTailRow } from "./log-row.tsx";
import { RequestState } from "./request-state.tsx";
import type { Condition, LogSearch } from "./search.ts";

interface LogDrawerProps {
  id: string;
  feed: LogFeed;
  search: LogSearch;
  names: NameLookup;
  admin: boolean;
  baseUrl: string;
  onClose(): void;
  onOpen(id: string): void;
  onFilter(condition: Condition): void;
}

/** One request in full, beside the log, which continues behind it. Selecting another row replaces its content. */
export function LogDrawer({ id, feed, search, names, admin, baseUrl, onClose, onOpen, onFilter }: LogDrawerProps) {
  const { t } = useTexts();
  const options = api.logs.get.queryOptions({ id });
  const { data, error, refetch } = useQuery(options);
  const shown = useTailRow(feed.tail, id)?.row;
  const { row: heard, corrected } = useHeard(id);
  const row = newest(heard, shown, data?.row);

  // Decision and breakdown exist only once the request is over: read them again then.
  const over = row !== undefined && row.state !== "in_flight" && row.state !== "lost";
  const unread = over && data !== undefined && data.detail === null;
  useEffect(() => {
    if (unread || corrected > 0) void queryClient.invalidateQueries({ queryKey: api.logs.get.queryKey({ id }) });
  }, [unread, corrected, id]);

  const { order } = feed.tail.view();
  const at = order.indexOf(id);
  const step = (by: 1 | -1): void => {
    let next = at + by;
    while (isGap(order[next] ?? "")) next += by;
    const target = order[next];
    if (target) onOpen(target);
  };
  return (
    <aside
      aria-label={t("detail.title")}
      className="fixed inset-0 z-30 flex flex-col border-l border-line bg-raised sm:left-auto sm:w-[28rem] sm:shadow-pop md:z-20 xl:static xl:w-[30rem] xl:shrink-0 xl:shadow-none"
    >
      <header className="flex items-center gap-1 border-b border-line py-2 pr-2 pl-4 md:min-h-14">
        <div className="min-w-0 flex-1">
          <h2 className="truncate text-base font-semibold">{row?.model || t("detail.title")}</h2>
          {row && <RequestState row={row} t={t} className="text-xs" />}
        </div>
        <Button
          variant="ghost"
          size="icon"
          aria-label={t("detail.previous")}
          title={`${t("detail.previous")} (K)`}
          disabled={at <= 0}
          onClick={() => step(-1)}
        >
          <ChevronUp aria-hidden="true" />
        </Button>
        <Button
          variant="ghost"
          size="icon"
          aria-label={t("detail.next")}
          title={`${t("detail.next")} (J)`}
          disabled={at < 0 || at >= order.length - 1}
          onClick={() => step(1)}
        >
          <ChevronDown aria-hidden="true" />
        </Button>
        <Button variant="ghost" size="icon" aria-label={t("common.close")} title={`${t("common.close")} (Esc)`} onClick={onClose}>
          <X aria-hidden="true" />
        </Button>
      </header>
      <ScrollRegion label={t("detail.overview")} className="min-h-0 flex-1 overflow-y-auto overscroll-contain px-4 pb-8 -outline-offset-2">
        <div className="flex items-center gap-1 py-2.5 text-xs text-ink-3">
          <span className="truncate font-mono">{id}</span>
          <CopyButton value={id} what={t("common.requestId")} />
        </div>
        {error && !row && <FailureBox error={error} onRetry={() => void refetch()} />}
        {!row && !error && <SkeletonRows rows={8} className="-mx-4" />}
        {row && <DrawerActions row={row} detail={data?.detail ?? null} search={search} baseUrl={baseUrl} admin={admin} />}
        {row && <Content row={row} entry={data} names={names} admin={admin} onFilter={onFilter} />}
      </ScrollRegion>
    </aside>
  );
}

interface ContentProps extends Pick<LogDrawerProps, "names" | "admin" | "onFilter"> {
  row: RequestRow;
  entry: Outputs["logs"]["get"] | undefined;
}

function Content({ row, entry, names, admin, onFilter }: ContentProps) {
  const { t } = useTexts();
  const { detail = null, history = null } = entry ?? {};
  // The parts that add up to the current cost.
  const cost = history?.corrections.findLast((correction) => correction.cost)?.cost;
  return (
    <div className="flex flex-col gap-6">
      {(row.errorCode || detail?.error) && <ErrorView row={row} detail={detail} admin={admin} names={names} />}
      <OverviewView row={row} detail={detail} names={names} admin={admin} onFilter={onFilter} />
      <TimingsView row={row} />
      {detail && admin && <DecisionView decision={detail.decision} attempts={detail.attempts} names={names} />}
      {detail && detail.attempts.length > 0 && <AttemptTimeline row={row} attempts={detail.attempts} names={names} admin={admin} />}
      <UsageView row={row} detail={detail && cost ? { ...detail, cost } : detail} admin={admin} />
      {history && <CostHistoryView row={row} history={history} names={names} />}
      {!detail && row.state === "in_flight" && <p className="text-xs text-ink-3">{t("detail.pending")}</p>}
    </div>
  );
}

/** The row as the stream reports it, even outside the log's filter, and the rev of its last correction (0 = none). */
function useHeard(id: string): { row: RequestRow | undefined; corrected: number } {
  const [heard, setHeard] = useState<{ row: RequestRow; rev: number; corrected: number }>();
  useEffect(
    () =>
      listenTo(["logs"], {
        events(events) {
          for (const event of events)
            if ("rev" in event && event.row.id === id) setHeard((old) => (old && old.rev >= event.rev ? old : take(event)));
        },
      }),
    [id],
  );
  return heard?.row.id === id ? heard : { row: undefined, corrected: 0 };
}

function take({ type, row, rev }: Extract<LiveEvent, { rev: number }>) {
  return { row, rev, corrected: type === "request.corrected" ? rev : 0 };
}

/** Of several states of a row, the finished one; otherwise the one received last. */
function newest(...rows: (RequestRow | undefined)[]): RequestRow | undefined {
  const known = rows.filter((row) => row !== undefined);
  return known.find(({ state }) => state !== "in_flight" && state !== "lost") ?? known[0];
}
