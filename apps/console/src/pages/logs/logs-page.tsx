import { getRouteApi } from "@tanstack/react-router";
import { CirclePause, CirclePlay, Radio, ScrollText } from "lucide-react";
import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from "react";
import { useTranslation } from "react-i18next";
import { useNames } from "../../api/names.ts";
import type { LogFeed } from "../../live/log-feed.ts";
import { readerMode } from "../../live/reader.ts";
import { useStore } from "../../live/store.ts";
import { LiveIndicator } from "../../shell/live-indicator.tsx";
import { Button } from "../../ui/button.tsx";
import { cn } from "../../ui/class-names.ts";
import { Empty, FailureBox, SkeletonRows } from "../../ui/states.tsx";
import { useMedia } from "../../ui/use-media.ts";
import { FilterBar } from "./filter-bar.tsx";
import { FirstRequestHint } from "./first-request-hint.tsx";
import { LogDrawer } from "./log-drawer.tsx";
import { LogTable } from "./log-table.tsx";
import { useLogText } from "./log-text.ts";
import { NewRowsPill } from "./new-rows-pill.tsx";
import { type FilterField, fields, isFiltered, type LogSearch } from "./search.ts";
import { useLogFeed } from "./use-log-feed.ts";
import { useLogKeys } from "./use-log-keys.ts";

const route = getRouteApi("/app/logs");

/** The request log: every request as it happens, and everything before. */
export function LogsPage() {
  const { t } = useTranslation();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { login } = route.useRouteContext();
  const feed = useLogFeed(search);
  const scroller = useRef<HTMLDivElement>(null);
  const [currentId, setCurrentId] = useState<string>();
  const [filtering, setFiltering] = useState(false);
  const names = useNames();
  const narrow = useMedia("(max-width: 899px)");
  const admin = login.user.role === "admin";
  const paused = usePaused(feed);

  const setSearch = useCallback(
    (change: Partial<LogSearch>) => void navigate({ search: (old) => ({ ...old, ...change }), replace: true }),
    [navigate],
  );
  const open = useCallback((log: string | undefined) => setSearch({ log }), [setSearch]);
  const filter = useCallback((field: FilterField, value: string) => setSearch({ [field]: value }), [setSearch]);
  const newest = useCallback(() => goNewest(feed, scroller.current), [feed]);
  const togglePause = useCallback(() => {
    if (!feed) return;
    if (feed.tail.view().mode === "paused") feed.tail.setPaused(false);
    else feed.tail.setPaused(true);
  }, [feed]);

  useReaderMode(feed, search.to !== undefined && !search.range);
  useLogKeys({
    feed,
    scroller,
    currentId: currentId ?? search.log,
    openId: search.log,
    onCurrent: setCurrentId,
    onOpen: open,
    onPause: togglePause,
    onNewest: newest,
    onFilter: () => setFiltering(true),
  });

  return (
    <div className="flex min-h-0 flex-1">
      <div className="flex min-w-0 flex-1 flex-col bg-surface">
        <header className="flex flex-wrap items-center gap-x-3 gap-y-2 border-b border-line px-4 py-2.5 md:min-h-14">
          <div className="flex items-center gap-3">
            <h1 className="text-lg font-semibold tracking-tight">{t("logs.title")}</h1>
            <div className="max-md:hidden">
              <LiveIndicator />
            </div>
          </div>
          <div className="order-last flex w-full min-w-0 items-center md:order-none md:w-auto md:flex-1">
            <FilterBar
              search={search}
              names={names}
              admin={admin}
              feed={feed}
              open={filtering}
              onOpenChange={setFiltering}
              onChange={setSearch}
            />
          </div>
          <div className="ml-auto flex items-center gap-2">
            {search.to !== undefined && !search.range ? (
              <Button size="sm" onClick={() => setSearch({ from: undefined, to: undefined })}>
                <Radio aria-hidden="true" />
                {t("live.goLive")}
              </Button>
            ) : (
              <Button size="sm" onClick={togglePause} aria-pressed={paused} className={cn(paused && "border-warn text-warn")}>
                {paused ? <CirclePlay aria-hidden="true" /> : <CirclePause aria-hidden="true" />}
                {paused ? t("live.resume") : t("live.pause")}
              </Button>
            )}
          </div>
        </header>
        {feed && (
          <LogBody
            feed={feed}
            search={search}
            names={names}
            admin={admin}
            narrow={narrow}
            scroller={scroller}
            currentId={currentId}
            baseUrl={login.baseUrl}
            onOpen={open}
            onCurrent={setCurrentId}
            onFilter={filter}
            onClear={() =>
              setSearch({
                ...Object.fromEntries(fields.map((field) => [field, undefined])),
                range: undefined,
                from: undefined,
                to: undefined,
              })
            }
            onNewest={newest}
          />
        )}
      </div>
      {search.log && feed && (
        <LogDrawer
          key={search.log}
          id={search.log}
          feed={feed}
          names={names}
          admin={admin}
          onClose={() => open(undefined)}
          onOpen={open}
          onFilter={filter}
        />
      )}
    </div>
  );
}

interface LogBodyProps {
  feed: LogFeed;
  search: LogSearch;
  names: ReturnType<typeof useNames>;
  admin: boolean;
  narrow: boolean;
  scroller: React.RefObject<HTMLDivElement | null>;
  currentId: string | undefined;
  baseUrl: string;
  onOpen(id: string): void;
  onCurrent(id: string): void;
  onFilter(field: FilterField, value: string): void;
  onClear(): void;
  onNewest(): void;
}

function LogBody({ feed, search, baseUrl, onClear, onNewest, ...table }: LogBodyProps) {
  const { t } = useTranslation();
  const { describe } = useLogText(table.names);
  const status = useStore(feed.status);
  const { order, mode, held } = useSyncExternalStore(feed.tail.onView, feed.tail.view);
  if (status.phase === "error") return <FailureBox className="m-4" error={status.failure} onRetry={feed.retry} />;
  if (status.phase === "loading") return <SkeletonRows rows={12} />;
  return (
    <div className="relative flex min-h-0 flex-1 flex-col">
      {status.partial && (
        <p role="alert" className="border-b border-line bg-warn-soft px-4 py-1.5 text-xs text-warn">
          {t("logs.partial")}
        </p>
      )}
      {held > 0 && mode !== "live" && <NewRowsPill tail={feed.tail} onClick={onNewest} />}
      {order.length > 0 ? (
        <LogTable feed={feed} openId={search.log} {...table} />
      ) : (
        <div className="flex-1 overflow-y-auto">
          {isFiltered(search) ? (
            <Empty icon={<ScrollText />} title={t("logs.emptyFilterTitle")} text={t("logs.emptyFilterText", { filters: describe(search) })}>
              <Button onClick={onClear}>{t("logs.clearFilters")}</Button>
            </Empty>
          ) : (
            <Empty icon={<Radio />} title={t("logs.emptyTitle")} text={t("logs.emptyText")}>
              <FirstRequestHint baseUrl={baseUrl} />
            </Empty>
          )}
        </div>
      )}
      <Summary feed={feed} />
    </div>
  );
}

const nothing = () => () => {};
const never = () => false;

function usePaused(feed: LogFeed | null): boolean {
  return useSyncExternalStore(feed?.tail.onView ?? nothing, feed ? () => feed.tail.view().mode === "paused" : never);
}

/** Lets the waiting rows in and goes to the top; the focus stays with the table. */
function goNewest(feed: LogFeed | null, scroller: HTMLDivElement | null): void {
  if (!feed) return;
  feed.tail.setPaused(false);
  scroller?.focus({ preventScroll: true });
  scroller?.scrollTo({ top: 0 });
  // After the scroll event: while scrolled the table keeps the row being read in place, and would scroll back to it.
  requestAnimationFrame(() => feed.tail.merge());
}

/** Tells the shell's indicator what this page does with the stream. */
function useReaderMode(feed: LogFeed | null, history: boolean): void {
  useEffect(() => {
    if (!feed) return;
    const tell = (): void => {
      const { mode } = feed.tail.view();
      const catching = feed.status.get().catchingUp;
      readerMode.set(mode === "paused" ? "paused" : history ? "history" : catching ? "catchingUp" : mode === "holding" ? "holding" : null);
    };
    const offs = [feed.tail.onView(tell), feed.status.subscribe(tell)];
    tell();
    return () => {
      for (const off of offs) off();
      readerMode.set(null);
    };
  }, [feed, history]);
}

/** One polite sentence, at most every ten seconds, instead of announcing rows. */
function Summary({ feed }: { feed: LogFeed }) {
  const { t } = useTranslation();
  const [text, setText] = useState("");
  useEffect(() => {
    let since = feed.tail.arrived();
    const timer = setInterval(() => {
      const now = feed.tail.arrived();
      const count = now.rows - since.rows;
      if (count > 0) setText(t("live.summary", { count, errors: now.errors - since.errors }));
      since = now;
    }, 10_000);
    return () => clearInterval(timer);
  }, [feed, t]);
  return (
    <p aria-live="polite" className="sr-only">
      {text}
    </p>
  );
}
