import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Activity } from "lucide-react";
import { useCallback } from "react";
import { api, type Outputs, queryClient } from "../../api/client.ts";
import { useNames } from "../../api/names.ts";
import { useAnswer } from "../../api/use-answer.ts";
import { formatSpan } from "../../format.ts";
import { covered, listen, useTopics } from "../../live/hub.ts";
import { serverNow } from "../../live/server-clock.ts";
import { createSessionBoard } from "../../live/session-board.ts";
import { useStore } from "../../live/store.ts";
import { LiveIndicator } from "../../shell/live-indicator.tsx";
import { useTexts } from "../../text/i18n.ts";
import { Button } from "../../ui/button.tsx";
import { Page } from "../../ui/page.tsx";
import { Empty, FailureBox, SkeletonRows } from "../../ui/states.tsx";
import { useOpened } from "../../ui/use-opened.ts";
import { isFiltered, matchesSession, type SessionSearch } from "./search.ts";
import { SessionDrawer } from "./session-drawer.tsx";
import { SessionFilters } from "./session-filters.tsx";
import { SessionTable } from "./session-table.tsx";
import { TerminateDialog } from "./terminate-dialog.tsx";
import { focusSession, useSessionKeys } from "./use-session-keys.ts";

const route = getRouteApi("/app/sessions");

const board = createSessionBoard({
  now: serverNow,
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
});

const options = api.sessions.list.queryOptions();
const topics = ["sessions"] as const;

function readAgain(): void {
  void queryClient.invalidateQueries({ queryKey: options.queryKey });
}

function loadBoard(answer: Outputs["sessions"]["list"]): void {
  board.load(answer.rows, answer.activeWindowSeconds, answer.busId);
  void covered(answer.busId, topics).then((whole) => whole || readAgain());
}

// Registered for the life of the document: events received before the list are merged with it by their rev.
listen({
  of: topics,
  events(events, at) {
    board.push(events, at);
    if (events.some((event) => event.type === "settings.changed" && event.names.includes("sessions.activeWindowSeconds"))) readAgain();
  },
  reset: readAgain,
});

const noFilter: Partial<SessionSearch> = { q: undefined, user: undefined, key: undefined, provider: undefined, model: undefined };

/** The active conversations. */
export function SessionsPage() {
  const { t, language } = useTexts();
  useTopics(topics);
  const { login } = route.useRouteContext();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const names = useNames();
  const { data, dataUpdatedAt, error, refetch } = useQuery(options);
  const all = useStore(board);
  const terminating = useOpened<string>();
  const terminate = login.user.role === "key" ? undefined : terminating.open;
  useAnswer(data, loadBoard);
  const change = useCallback(
    (next: Partial<SessionSearch>) => void navigate({ search: (old: SessionSearch) => ({ ...old, ...next }), replace: true }),
    [navigate],
  );
  const open = useCallback((session: string | undefined) => change({ session }), [change]);
  useSessionKeys({ openId: search.session, onOpen: open });

  const rows = all.filter(({ row }) => matchesSession(row, search, names));
  const active = all.filter(({ endedAtMs }) => endedAtMs === null).length;
  const shown = rows.filter(({ endedAtMs }) => endedAtMs === null).length;
  return (
    <Page
      title={t("sessions.title")}
      state={<LiveIndicator />}
      lead={data && t("sessions.lead", { window: formatSpan(data.activeWindowSeconds, language) })}
      actions={
        data &&
        all.length > 0 && (
          <span className="text-sm text-ink-2 tabular-nums">
            {isFiltered(search) ? t("sessions.activeOf", { shown, count: active }) : t("sessions.active", { count: active })}
          </span>
        )
      }
    >
      {error && <FailureBox error={error} asOfMs={dataUpdatedAt} onRetry={() => void refetch()} />}
      {!data && !error && <SkeletonRows className="rounded-xl border border-line bg-surface" />}
      {data && (all.length > 0 || isFiltered(search)) && <SessionFilters search={search} rows={all} names={names} onChange={change} />}
      {data && rows.length === 0 && (
        <div className="rounded-xl border border-line bg-surface">
          {isFiltered(search) ? (
            <Empty icon={<Activity />} title={t("sessions.emptyFilterTitle")} text={t("sessions.emptyFilterText")}>
              <Button onClick={() => change(noFilter)}>{t("sessions.clearFilters")}</Button>
            </Empty>
          ) : (
            <Empty icon={<Activity />} title={t("sessions.emptyTitle")} text={t("sessions.emptyText")} />
          )}
        </div>
      )}
      {data && rows.length > 0 && (
        <SessionTable
          rows={rows}
          names={names}
          admin={login.user.role === "admin"}
          openId={search.session}
          onOpen={open}
          onTerminate={terminate}
        />
      )}
      {search.session && (
        <SessionDrawer
          key={search.session}
          id={search.session}
          board={all.find(({ row }) => row.id === search.session)}
          names={names}
          admin={login.user.role === "admin"}
          onClose={() => {
            open(undefined);
            focusSession(search.session ?? "");
          }}
          onTerminate={terminate}
        />
      )}
      {terminating.opened && (
        <TerminateDialog
          id={terminating.opened.for}
          inFlight={all.find(({ row }) => row.id === terminating.opened?.for)?.row.inFlight ?? 0}
          onClose={terminating.close}
        />
      )}
    </Page>
  );
}
