import { Radio, ScrollText } from "lucide-react";
import { lazy, type RefObject, Suspense, useEffect, useState, useSyncExternalStore } from "react";
import type { NameLookup } from "../../api/names.ts";
import type { LogFeed } from "../../live/log-feed.ts";
import { useStore } from "../../live/store.ts";
import { useTexts } from "../../text/i18n.ts";
import { Button } from "../../ui/button.tsx";
import { Empty, FailureBox, SkeletonRows } from "../../ui/states.tsx";
import type { Columns } from "./columns.ts";
import { keptText } from "./kept-text.ts";
import { LogTable } from "./log-table.tsx";
import { useLogText } from "./log-text.ts";
import type { MenuCell } from "./menu-cell.ts";
import { NewRowsPill } from "./new-rows-pill.tsx";
import { isFiltered, type LogSearch } from "./search.ts";
import { SearchOn, useSearchedTo } from "./search-on.tsx";

// Only new users see it.
const FirstRequestHint = lazy(() => import("./first-request-hint.tsx").then(({ FirstRequestHint: one }) => ({ default: one })));

interface LogBodyProps {
  feed: LogFeed;
  search: LogSearch;
  openId: string | undefined;
  names: NameLookup;
  columns: Columns;
  narrow: boolean;
  scroller: RefObject<HTMLDivElement | null>;
  currentId: string | undefined;
  held: boolean;
  baseUrl: string;
  /** Whether the viewer signed in by a key. */
  byKey: boolean;
  onOpen(id: string): void;
  onCurrent(id: string): void;
  onMenu(cell: MenuCell): void;
  onGoOn(toMs: number): void;
  onClear(): void;
  onNewest(): void;
}

/** The table, or its replacement: loading, failed, nothing yet, no matches. */
export function LogBody({ feed, search, baseUrl, byKey, onClear, onNewest, ...table }: LogBodyProps) {
  const { t, language } = useTexts();
  const { describe } = useLogText(table.names);
  const status = useStore(feed.status);
  const { tail } = feed;
  // Re-renders when one of these changes, not with each row.
  const empty = useSyncExternalStore(tail.onView, () => tail.view().order.length === 0);
  const waiting = useSyncExternalStore(tail.onView, () => tail.view().held > 0 && tail.view().mode !== "live");
  const ended = useSyncExternalStore(tail.onView, () => tail.floor === "");
  const searchedTo = useSearchedTo(feed);
  const { scroller } = table;
  // The pressed button disappears with the empty page; move the focus to the table.
  const onFound = () => requestAnimationFrame(() => document.activeElement === document.body && scroller.current?.focus());
  if (status.phase === "error") return <FailureBox className="m-4" error={status.failure} onRetry={feed.retry} />;
  if (status.phase === "loading") return <SkeletonRows rows={12} />;
  return (
    <div className="relative flex min-h-0 flex-1 flex-col">
      {status.partial && (
        <p role="alert" className="border-b border-line bg-warn-soft px-4 py-1.5 text-xs text-warn">
          {t("logs.partial")}
        </p>
      )}
      {waiting && <NewRowsPill tail={tail} onClick={onNewest} />}
      {!empty || (!ended && status.searchedToMs === null) ? (
        <LogTable feed={feed} {...table} />
      ) : (
        <div className="flex-1 overflow-y-auto">
          {status.partial ? (
            <Empty icon={<ScrollText />} title={t("logs.noneInFlight")} text={t("logs.whenBack")} />
          ) : status.searchedToMs !== null && !ended ? (
            <Empty
              icon={<ScrollText />}
              title={t("logs.notFoundYet")}
              text={t("logs.notFoundSince", { filters: describe(search), time: searchedTo })}
            >
              <div className="flex flex-wrap items-center justify-center gap-3 text-xs text-ink-3">
                <SearchOn feed={feed} onFound={onFound} />
                <Button size="sm" onClick={onClear}>
                  {t("logs.clearFilters")}
                </Button>
              </div>
              {status.older === "error" && <p role="alert">{t("logs.olderFailed")}</p>}
            </Empty>
          ) : isFiltered(search) ? (
            <Empty
              icon={<ScrollText />}
              title={t("logs.emptyFilterTitle")}
              text={
                <>
                  {t("logs.emptyFilterText", { filters: describe(search) })}{" "}
                  {status.kept && t("logs.keptSince", keptText(status.kept, language))}
                </>
              }
            >
              <Button onClick={onClear}>{t("logs.clearFilters")}</Button>
            </Empty>
          ) : (
            <Empty icon={<Radio />} title={t("logs.emptyTitle")} text={t("logs.emptyText")}>
              <Suspense>
                <FirstRequestHint baseUrl={baseUrl} byKey={byKey} />
              </Suspense>
            </Empty>
          )}
        </div>
      )}
      <Summary feed={feed} />
    </div>
  );
}

/** One polite sentence at most every ten seconds, instead of announcing each row. */
function Summary({ feed }: { feed: LogFeed }) {
  const { t } = useTexts();
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
