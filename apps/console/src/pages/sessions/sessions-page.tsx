// biome-ignore-all lint/a11y/noRedundantRoles: cards change the display of rows, and browsers then forget what they are
import type { SessionRow } from "@sluice/core/events";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Activity } from "lucide-react";
import { memo, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, type Outputs, queryClient } from "../../api/client.ts";
import { type NameLookup, useNames } from "../../api/names.ts";
import { useAnswer } from "../../api/use-answer.ts";
import { exactCost, formatCost, formatCount, formatDateTime, formatElapsed, formatExact, formatSpan } from "../../format.ts";
import { covered, listen } from "../../live/hub.ts";
import { serverNow, ticks } from "../../live/server-clock.ts";
import { createSessionBoard } from "../../live/session-board.ts";
import { useStore } from "../../live/store.ts";
import { LiveIndicator } from "../../shell/live-indicator.tsx";
import { cn } from "../../ui/class-names.ts";
import { LoadMore } from "../../ui/load-more.tsx";
import { Page } from "../../ui/page.tsx";
import { ScrollRegion } from "../../ui/scroll-region.tsx";
import { Empty, FailureBox, SkeletonRows } from "../../ui/states.tsx";

const board = createSessionBoard({
  now: serverNow,
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
});

const options = api.sessions.list.queryOptions();

function readAgain(): void {
  void queryClient.invalidateQueries({ queryKey: options.queryKey });
}

function loadBoard(answer: Outputs["sessions"]["list"]): void {
  board.load(answer.rows, answer.activeWindowSeconds);
  void covered(answer.busId).then((whole) => whole || readAgain());
}

// For as long as the document lives: events before the list is read are kept and meet it by their rev.
listen({
  events(events) {
    board.push(events);
    if (events.some((event) => event.type === "settings.changed" && event.names.includes("sessions.activeWindowSeconds"))) readAgain();
  },
  reset: readAgain,
});

/** Conversations going on now. */
export function SessionsPage() {
  const { t, i18n } = useTranslation();
  const names = useNames();
  const { data, error, refetch } = useQuery(options);
  const rows = useStore(board);
  useAnswer(data, loadBoard);
  return (
    <Page
      title={t("sessions.title")}
      state={<LiveIndicator />}
      lead={data && t("sessions.lead", { window: formatSpan(data.activeWindowSeconds, i18n.language) })}
      actions={data && rows.length > 0 && <span className="text-sm text-ink-2">{t("sessions.active", { count: rows.length })}</span>}
    >
      {error && <FailureBox error={error} onRetry={() => void refetch()} />}
      {!data && !error && <SkeletonRows className="rounded-xl border border-line bg-surface" />}
      {data && rows.length === 0 && (
        <div className="rounded-xl border border-line bg-surface">
          <Empty icon={<Activity />} title={t("sessions.emptyTitle")} text={t("sessions.emptyText")} />
        </div>
      )}
      {data && rows.length > 0 && <SessionTable rows={rows} names={names} />}
    </Page>
  );
}

const columns = ["client", "model", "started", "activity", "inFlight", "requests", "tokens", "cost"] as const;
const wide = new Set<string>(["started", "tokens"]);
const numeric = new Set<string>(["started", "activity", "inFlight", "requests", "tokens", "cost"]);

/** Rows drawn at first: thousands of conversations would be a slow page and no better read. */
const FIRST = 200;

function SessionTable({ rows, names }: { rows: readonly SessionRow[]; names: NameLookup }) {
  const { t } = useTranslation();
  const [shown, setShown] = useState(FIRST);
  return (
    <>
      <ScrollRegion label={t("sessions.table")} className="card-table overflow-x-auto rounded-xl border border-line bg-surface">
        <table role="table" aria-label={t("sessions.table")} className="w-full border-collapse text-sm">
          <thead role="rowgroup">
            <tr role="row" className="border-b border-line">
              {columns.map((column) => (
                <th
                  key={column}
                  role="columnheader"
                  scope="col"
                  className={cn(
                    "h-9 px-3 text-left text-xs font-medium whitespace-nowrap text-ink-3 first:pl-4 last:pr-4",
                    numeric.has(column) && "text-right",
                    wide.has(column) && "max-lg:hidden",
                  )}
                >
                  {t(`sessions.${column}`)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody role="rowgroup">
            {rows.slice(0, shown).map((row) => (
              <SessionLine key={row.id} row={row} names={names} />
            ))}
          </tbody>
        </table>
      </ScrollRegion>
      {rows.length > shown && <LoadMore shown={shown} total={rows.length} busy={false} onClick={() => setShown(shown + FIRST)} />}
    </>
  );
}

const SessionLine = memo(function SessionLine({ row, names }: { row: SessionRow; names: NameLookup }) {
  const { t, i18n } = useTranslation();
  const tokens = row.inputTokens + row.outputTokens;
  return (
    <tr role="row" data-session={row.id} className="border-b border-line last:border-b-0 hover:bg-hover">
      <td role="cell" data-label={t("sessions.client")} className="max-w-72 py-2 pr-3 pl-4">
        <Link
          to="/logs"
          search={{ session: row.id }}
          title={t("sessions.open")}
          className="block truncate font-medium text-ink underline-offset-3 hover:text-accent-ink hover:underline"
        >
          {row.client || names.key(row.keyId)}
        </Link>
        <span className="block truncate text-xs text-ink-3">
          {names.user(row.userId)} · {names.key(row.keyId)} · <span className="font-mono">{row.id.slice(-8)}</span>
        </span>
      </td>
      <td role="cell" data-label={t("sessions.model")} className="max-w-64 px-3 py-2">
        <span className="block truncate">{row.model}</span>
        {row.providerId && names.list.providers.length > 0 && (
          <span className="block truncate text-xs text-ink-3">{names.provider(row.providerId)}</span>
        )}
      </td>
      <td
        role="cell"
        data-label={t("sessions.started")}
        className="px-3 py-2 text-right whitespace-nowrap text-ink-2 max-lg:hidden"
        title={formatDateTime(row.startedAtMs, i18n.language)}
      >
        <Ago ms={row.startedAtMs} />
      </td>
      <td role="cell" data-label={t("sessions.activity")} className="px-3 py-2 text-right whitespace-nowrap text-ink-2">
        {row.inFlight > 0 ? <span className="font-medium text-accent-ink">{t("sessions.now")}</span> : <Ago ms={row.lastActivityAtMs} />}
      </td>
      <td role="cell" data-label={t("sessions.inFlight")} className="px-3 py-2 text-right">
        {row.inFlight > 0 ? (
          <span className="inline-flex items-center gap-1.5 font-medium text-accent-ink">
            <span aria-hidden="true" className="size-1.5 animate-pulse-dot rounded-full bg-accent" />
            {row.inFlight}
          </span>
        ) : (
          <span className="text-ink-3">0</span>
        )}
      </td>
      <td role="cell" data-label={t("sessions.requests")} className="px-3 py-2 text-right">
        {formatExact(row.requests, i18n.language)}
      </td>
      <td
        role="cell"
        data-label={t("sessions.tokens")}
        className="px-3 py-2 text-right whitespace-nowrap text-ink-2 max-lg:hidden"
        title={formatExact(tokens, i18n.language)}
      >
        {formatCount(row.inputTokens, i18n.language)}
        <span className="px-1 text-ink-3">/</span>
        {formatCount(row.outputTokens, i18n.language)}
      </td>
      <td role="cell" data-label={t("sessions.cost")} className="py-2 pr-4 pl-3 text-right font-medium" title={exactCost(row.costNanoUsd)}>
        {formatCost(row.costNanoUsd)}
      </td>
    </tr>
  );
});

function Ago({ ms }: { ms: number }) {
  const { t } = useTranslation();
  useStore(ticks);
  return <>{t("sessions.ago", { elapsed: formatElapsed(serverNow() - ms) })}</>;
}
