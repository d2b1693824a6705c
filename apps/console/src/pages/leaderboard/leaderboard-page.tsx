import { formatUsd } from "@sluice/core/money";
import { type Leaderboard, type LeaderboardOf, leaderboardOf, leaderboardPeriods, leaderboardSorts } from "@sluice/core/statistics";
import { getRouteApi } from "@tanstack/react-router";
import { ChevronLeft, ChevronRight, Trophy } from "lucide-react";
import { client } from "../../api/client.ts";
import { useNames } from "../../api/names.ts";
import { serverNow } from "../../live/server-clock.ts";
import { longRanges } from "../../ranges/range-search.ts";
import { TimeRange } from "../../ranges/time-range.tsx";
import { LiveIndicator } from "../../shell/live-indicator.tsx";
import { AnswerNote } from "../../statistics/answer-note.tsx";
import { ChartTools } from "../../statistics/chart-tools.tsx";
import { saveCsv } from "../../statistics/csv.ts";
import { DEFAULT_RANGE, spanOf } from "../../statistics/search.ts";
import { useLiveAnswer } from "../../statistics/use-live-answer.ts";
import { useTexts } from "../../text/i18n.ts";
import { Button } from "../../ui/button.tsx";
import { NativeSelect } from "../../ui/field.tsx";
import { Page } from "../../ui/page.tsx";
import { Segments } from "../../ui/segments.tsx";
import { Empty, FailureBox, SkeletonRows } from "../../ui/states.tsx";
import { LeaderboardTable } from "./leaderboard-table.tsx";
import type { LeaderboardSearch } from "./search.ts";

const route = getRouteApi("/app/leaderboard");
const PAGE_SIZE = 20;
/** Sums have five-minute buckets, so an open end is that of the current one. */
const STEP_MS = 300_000;

const offers = { admin: leaderboardOf, user: ["users", "keys", "models"], key: ["models"] } as const satisfies Record<
  string,
  readonly LeaderboardOf[]
>;

/** The largest consumers, by a measure and period. */
export function LeaderboardPage() {
  const { t } = useTexts();
  const { login } = route.useRouteContext();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const names = useNames();
  const offered = offers[login.user.role];
  const of = offered.find((one) => one === search.of) ?? "models";
  const { sort = "cost", period = "month", page = 1 } = search;
  const change = (part: Partial<LeaderboardSearch>): void =>
    void navigate({ search: (now) => ({ ...now, page: undefined, ...part }), replace: true });
  const { data, error, busy, retry } = useLeaderboard({ ...search, of, sort, period, page });
  const nameOf = ({ id, name }: Leaderboard["items"][number]): string => {
    if (name !== null) return name;
    if (of === "users") return id ? names.user(id) : t("leaderboard.someone");
    return of === "models" ? t("statistics.nameless") : id.slice(-8);
  };
  const title = t("leaderboard.table", { of: t(`leaderboard.of.${of}`) });
  return (
    <Page title={t("leaderboard.title")} state={<LiveIndicator />} lead={data && <AnswerNote answer={data} zone={data.zone} />}>
      <search aria-label={t("statistics.filters")} className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <Segments<LeaderboardOf>
          label={t("leaderboard.what")}
          value={of}
          options={offered.map((value) => ({ value, label: t(`leaderboard.of.${value}`) }))}
          onChange={(value) => change({ of: value })}
        />
        <Segments
          label={t("leaderboard.period")}
          value={period}
          options={leaderboardPeriods.map((value) => ({ value, label: t(`leaderboard.periods.${value}`) }))}
          onChange={(value) => change({ period: value, from: undefined, to: undefined })}
        />
        {period === "custom" && (
          <TimeRange
            search={{ from: search.from ?? DEFAULT_RANGE, to: search.to }}
            ranges={longRanges}
            onChange={({ from, to }) => change({ from, to })}
          />
        )}
        <NativeSelect
          aria-label={t("lists.sortBy")}
          className="h-7 w-auto text-xs"
          value={sort}
          onChange={(event) => change({ sort: event.target.value as typeof sort })}
        >
          {leaderboardSorts.map((one) => (
            <option key={one} value={one}>
              {t(`leaderboard.sorts.${one}`)}
            </option>
          ))}
        </NativeSelect>
      </search>
      {error !== null && <FailureBox error={error} onRetry={retry} />}
      {!data && error === null && <SkeletonRows rows={10} />}
      {data && isEmpty(data) && <Empty icon={<Trophy />} title={t("leaderboard.emptyTitle")} text={t("leaderboard.emptyText")} />}
      {data && !isEmpty(data) && (
        <div aria-busy={busy || undefined} className="flex flex-col gap-2">
          <div className="flex items-center justify-between pr-2 pl-4">
            <h2 className="text-sm font-medium">{title}</h2>
            <ChartTools title={title} onCsv={() => save(data, nameOf, t("leaderboard.revoked"))} />
          </div>
          <LeaderboardTable board={data} nameOf={nameOf} me={login.user.role === "admin" ? "" : login.user.id} />
          {data.total > 0 && <Pages board={data} onPage={(next) => change({ page: next })} />}
        </div>
      )}
    </Page>
  );
}

function isEmpty({ total, revoked }: Leaderboard): boolean {
  return total === 0 && revoked === null;
}

type Asked = LeaderboardSearch & Required<Pick<LeaderboardSearch, "of" | "sort" | "period" | "page">>;

function useLeaderboard({ of, sort, period, page, from, to, zone }: Asked) {
  const question = { of, sort, period, page, zone: zone || undefined, limit: PAGE_SIZE } as const;
  const custom = period === "custom";
  return useLiveAnswer(
    [["statistics", "leaderboard"], { ...question, ...(custom && { from, to }) }],
    () => {
      const { from: start, to: end = Math.ceil(serverNow() / STEP_MS) * STEP_MS } = spanOf({ from, to }, serverNow());
      return client.statistics.leaderboard.query({ ...question, ...(custom && { from: start, to: end }) });
    },
    !custom || to === undefined,
  );
}

/** The range of entries shown, the total, and paging buttons. */
function Pages({ board, onPage }: { board: Leaderboard; onPage(page: number): void }) {
  const { t } = useTexts();
  const first = (board.page - 1) * board.pageSize + 1;
  return (
    <div className="flex items-center justify-center gap-3 text-xs text-ink-3">
      <Button
        size="iconSm"
        variant="ghost"
        aria-label={t("leaderboard.previousPage")}
        disabled={!board.hasPrev}
        onClick={() => onPage(board.page - 1)}
      >
        <ChevronLeft aria-hidden="true" />
      </Button>
      {t("leaderboard.shown", { first, last: first + board.items.length - 1, total: board.total })}
      <Button
        size="iconSm"
        variant="ghost"
        aria-label={t("leaderboard.nextPage")}
        disabled={!board.hasNext}
        onClick={() => onPage(board.page + 1)}
      >
        <ChevronRight aria-hidden="true" />
      </Button>
    </div>
  );
}

function save({ of, items, revoked }: Leaderboard, nameOf: (entry: Leaderboard["items"][number]) => string, revokedName: string): void {
  const header = ["rank", "previous_rank", "id", "name", "requests", "errors", "tokens", "cost_usd", "share"];
  const rates = ["cache_hit_rate", "success_rate", "ttft_ms"];
  void saveCsv(
    `leaderboard-${of}`,
    [...header, ...rates],
    [
      ...items.map((entry) => [
        ...[entry.rank, entry.previousRank, entry.id, nameOf(entry), entry.requests, entry.errors, entry.tokens],
        ...[formatUsd(BigInt(entry.costNanoUsd)), entry.share, entry.rates.cacheHitRate, entry.rates.successRate, entry.rates.ttftMs],
      ]),
      ...(revoked
        ? [
            [
              ...[null, null, null, revokedName, revoked.requests, revoked.errors, revoked.tokens],
              ...[formatUsd(BigInt(revoked.costNanoUsd)), revoked.share, null, null, null],
            ],
          ]
        : []),
    ],
  );
}
