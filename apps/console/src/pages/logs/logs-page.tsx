import { getRouteApi } from "@tanstack/react-router";
import { lazy, Suspense, useCallback, useDeferredValue, useMemo, useRef, useState } from "react";
import { useNames } from "../../api/names.ts";
import type { LogFeed } from "../../live/log-feed.ts";
import { useMedia } from "../../ui/use-media.ts";
import { LogBody } from "./log-body.tsx";
import { LogHeader } from "./log-header.tsx";
import type { MenuCell } from "./menu-cell.ts";
import { adding, type Condition, clearing, feedKey, isHistory, type LogSearch, shifted } from "./search.ts";
import { useColumns } from "./use-columns.ts";
import { useLogFeed } from "./use-log-feed.ts";
import { focusRow, useLogKeys } from "./use-log-keys.ts";
import { useHiddenErrors, usePaused, useReaderMode } from "./use-reader-mode.ts";
import { useZoom } from "./use-zoom.ts";

const route = getRouteApi("/app/logs");

// Not needed for the first rows, so loaded after them.
const CellMenu = lazy(() => import("./cell-menu.tsx").then(({ CellMenu: one }) => ({ default: one })));
const ExportDialog = lazy(() => import("./export-dialog.tsx").then(({ ExportDialog: one }) => ({ default: one })));
const LogDrawer = lazy(() => import("./log-drawer.tsx").then(({ LogDrawer: one }) => ({ default: one })));
const LogHistogram = lazy(() => import("./log-histogram.tsx").then(({ LogHistogram: one }) => ({ default: one })));

/** The request log: every request as it happens, and all earlier ones. */
export function LogsPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const login = route.useRouteContext({ select: ({ login: one }) => one });
  const view = useView(search);
  const feed = useLogFeed(search);
  const scroller = useRef<HTMLDivElement>(null);
  const pane = useRef<HTMLDivElement>(null);
  const query = useRef<HTMLInputElement>(null);
  const [currentId, setCurrentId] = useState<string>();
  const [menuCell, setMenuCell] = useState<MenuCell | null>(null);
  const [exporting, setExporting] = useState(false);
  // The selected row responds immediately; the drawer beside it is rendered afterwards.
  const drawn = useDeferredValue(search.log);
  const names = useNames();
  const narrow = useMedia("(max-width: 899px)");
  const admin = login.user.role === "admin";
  const columns = useColumns(pane, admin);
  const paused = usePaused(feed);

  const setSearch = useCallback(
    (change: Partial<LogSearch>, replace = true) => void navigate({ search: (old) => ({ ...old, ...change }), replace }),
    [navigate],
  );
  const open = useCallback((log: string | undefined) => setSearch({ log }), [setSearch]);
  const filter = useCallback(
    (condition: Condition) => void navigate({ search: (old) => ({ ...old, ...adding(old, condition) }), replace: true }),
    [navigate],
  );
  const newest = useCallback(() => goNewest(feed, scroller.current), [feed]);
  const onExport = useCallback(() => setExporting(true), []);
  const togglePause = useCallback(() => feed?.tail.setPaused(feed.tail.view().mode !== "paused"), [feed]);
  const { zoomed, zoom, undo } = useZoom(
    search,
    useCallback((range) => setSearch(range, false), [setSearch]),
  );

  useReaderMode(feed, isHistory(search));
  useHiddenErrors(feed);
  useLogKeys({
    feed,
    scroller,
    currentId: currentId ?? search.log,
    openId: search.log,
    onCurrent: setCurrentId,
    onOpen: open,
    onPause: togglePause,
    onNewest: newest,
    onQuery: () => query.current?.focus(),
    onMenu: setMenuCell,
    onRange: (step) => void navigate({ search: (old) => ({ ...old, ...shifted(old, step) }), replace: true }),
    onUndo: undo,
  });

  return (
    <div className="flex min-h-0 flex-1">
      <div ref={pane} className="flex min-w-0 flex-1 flex-col bg-surface">
        <LogHeader
          search={view}
          {...{ names, admin, narrow, columns, paused, query, onExport }}
          onChange={setSearch}
          onPause={togglePause}
        />
        <Suspense fallback={<div className="h-24 border-b border-line max-md:h-19" />}>
          <LogHistogram search={view} zoomed={zoomed} onZoom={zoom} onUndo={undo} />
        </Suspense>
        {feed && (
          <LogBody
            search={view}
            openId={search.log}
            {...{ feed, names, columns, narrow, scroller, currentId }}
            held={menuCell !== null}
            baseUrl={login.baseUrl}
            byKey={login.user.role === "key"}
            onOpen={open}
            onCurrent={setCurrentId}
            onMenu={setMenuCell}
            onGoOn={(to) => setSearch({ to, from: typeof search.from === "number" ? search.from : undefined }, false)}
            onClear={() => setSearch({ ...clearing, from: undefined, to: undefined })}
            onNewest={newest}
          />
        )}
      </div>
      <Suspense>
        {drawn && feed && (
          <LogDrawer
            key={drawn}
            id={drawn}
            {...{ feed, search, names, admin }}
            baseUrl={login.baseUrl}
            onClose={() => {
              open(undefined);
              focusRow(scroller.current, drawn);
            }}
            onOpen={open}
            onFilter={filter}
          />
        )}
        {menuCell && <CellMenu cell={menuCell} names={names} onClose={() => setMenuCell(null)} onFilter={filter} onOpen={open} />}
        {exporting && <ExportDialog {...{ search, names, admin }} onClose={() => setExporting(false)} />}
      </Suspense>
    </div>
  );
}

/** The part of the address that determines the list: the same object while another request is opened. */
function useView(search: LogSearch): LogSearch {
  const key = feedKey(search);
  return useMemo(() => JSON.parse(key) as LogSearch, [key]);
}

/** Adds the waiting rows and scrolls to the top; the focus stays on the table. */
function goNewest(feed: LogFeed | null, scroller: HTMLDivElement | null): void {
  if (!feed) return;
  feed.tail.setPaused(false);
  scroller?.focus({ preventScroll: true });
  scroller?.scrollTo({ top: 0 });
  // After the scroll event: while scrolled, the table keeps the row being read in place and would scroll back to it.
  requestAnimationFrame(() => feed.tail.merge());
}
