import type { Leaderboard, LeaderboardEntry, LeaderboardOf } from "@sluice/core/statistics";
import { Link } from "@tanstack/react-router";
import { ArrowDown, ArrowUp, Minus, Sparkle } from "lucide-react";
import { exactCost, formatCost, formatCount, formatDuration, formatExact, formatPercent } from "../../format.ts";
import { useTexts } from "../../text/i18n.ts";
import { CardCell, CardHead, CardRow, CardTable } from "../../ui/card-table.tsx";
import { cn } from "../../ui/class-names.ts";

interface LeaderboardTableProps {
  board: Leaderboard;
  nameOf(entry: LeaderboardEntry): string;
  /** The viewer's own id, which is highlighted; empty = none. */
  me: string;
}

const measures = ["requests", "tokens", "cost", "cacheHitRate", "successRate", "ttft"] as const;
const fieldOf = { users: "user", keys: "key", providers: "provider", models: "model" } as const satisfies Record<LeaderboardOf, string>;

/** Ranks with their change, and each figure; rows link to their requests. */
export function LeaderboardTable({ board, nameOf, me }: LeaderboardTableProps) {
  const { t } = useTexts();
  const { of, items, sort, span, revoked } = board;
  const label = t("leaderboard.table", { of: t(`leaderboard.of.${of}`) });
  const percent = (share: number | null): string => (share === null ? "—" : formatPercent(share, 1));
  return (
    <CardTable
      label={label}
      head={
        <>
          <CardHead className="w-24">{t("leaderboard.rank")}</CardHead>
          <CardHead>{t("leaderboard.name")}</CardHead>
          {measures.map((one) => (
            <CardHead
              key={one}
              aria-sort={one === sort ? (one === "ttft" ? "ascending" : "descending") : undefined}
              className={cn("text-right", one === sort && "text-ink")}
            >
              {t(`leaderboard.sorts.${one}`)}
            </CardHead>
          ))}
        </>
      }
    >
      {items.map((entry) => (
        <CardRow key={entry.rank} aria-current={entry.id === me || undefined} className={cn(entry.id === me && "bg-accent-soft/60")}>
          <CardCell label={t("leaderboard.rank")} className="whitespace-nowrap">
            <span className="inline-flex items-center gap-2">
              <span className="text-right font-semibold tabular-nums sm:min-w-5">{entry.rank}</span>
              <RankChange {...entry} hasPrevious={board.previous !== null} />
            </span>
          </CardCell>
          <CardCell className="max-w-72 min-w-40">
            <EntryName name={nameOf(entry)} field={fieldOf[of]} entry={entry} span={span} />
            {entry.share !== null && <ShareBar share={entry.share} />}
          </CardCell>
          <SumCells {...entry} />
          <CardCell number label={t("leaderboard.sorts.cacheHitRate")}>
            {percent(entry.rates.cacheHitRate)}
          </CardCell>
          <CardCell number label={t("leaderboard.sorts.successRate")}>
            {percent(entry.rates.successRate)}
          </CardCell>
          <CardCell number label={t("leaderboard.sorts.ttft")}>
            {formatDuration(entry.rates.ttftMs)}
          </CardCell>
        </CardRow>
      ))}
      {revoked && (
        <CardRow>
          <CardCell label={t("leaderboard.rank")}>—</CardCell>
          <CardCell className="max-w-72 min-w-40">
            <span className="text-ink-2">{t("leaderboard.revoked")}</span> <span className="text-xs text-ink-3">{revoked.keys}</span>
            {revoked.share !== null && <ShareBar share={revoked.share} />}
          </CardCell>
          <SumCells {...revoked} />
          {(["cacheHitRate", "successRate", "ttft"] as const).map((one) => (
            <CardCell key={one} number label={t(`leaderboard.sorts.${one}`)}>
              —
            </CardCell>
          ))}
        </CardRow>
      )}
    </CardTable>
  );
}

/** The figures that add up. */
function SumCells({ requests, tokens, costNanoUsd }: Pick<LeaderboardEntry, "requests" | "tokens" | "costNanoUsd">) {
  const { t, language } = useTexts();
  return (
    <>
      <CardCell number label={t("overview.requests")} title={formatExact(requests, language)}>
        {formatCount(requests, language)}
      </CardCell>
      <CardCell number label={t("overview.tokens")} title={formatExact(tokens, language)}>
        {formatCount(tokens, language)}
      </CardCell>
      <CardCell number label={t("overview.cost")} title={exactCost(costNanoUsd)}>
        {formatCost(costNanoUsd)}
      </CardCell>
    </>
  );
}

interface EntryNameProps {
  name: string;
  field: (typeof fieldOf)[LeaderboardOf];
  entry: LeaderboardEntry;
  span: Leaderboard["span"];
}

function EntryName({ name, field, entry, span }: EntryNameProps) {
  const search = { [field]: entry.id, ...(span && { from: span.fromMs, to: span.toMs }) };
  if (entry.id === "") return <span className="text-ink-2">{name}</span>;
  return (
    <Link to="/logs" search={search} title={name} className="block truncate font-medium hover:text-accent-ink hover:underline">
      {name}
    </Link>
  );
}

/** Share of all entries together. */
function ShareBar({ share }: { share: number }) {
  return (
    <span className="mt-1 flex items-center gap-2">
      <span aria-hidden="true" className="block h-1 flex-1 overflow-hidden rounded-full bg-idle-soft">
        <span className="block h-full rounded-full bg-accent" style={{ width: `${Math.min(1, share) * 100}%` }} />
      </span>
      <span className="min-w-9 text-right text-2xs text-ink-3 tabular-nums">{formatPercent(share, 1)}</span>
    </span>
  );
}

/** Change against the period before, in words and shape. */
function RankChange({ rank, previousRank, hasPrevious }: { rank: number; previousRank: number | null; hasPrevious: boolean }) {
  const { t } = useTexts();
  if (!hasPrevious) return null;
  const moved = previousRank === null ? null : previousRank - rank;
  const [Icon, text, tone] =
    moved === null
      ? ([Sparkle, t("leaderboard.new"), "text-accent-ink"] as const)
      : moved === 0
        ? ([Minus, t("leaderboard.unmoved"), "text-ink-3"] as const)
        : moved > 0
          ? ([ArrowUp, t("leaderboard.up", { count: moved }), "text-ok"] as const)
          : ([ArrowDown, t("leaderboard.down", { count: -moved }), "text-bad"] as const);
  return (
    <span className={cn("inline-flex items-center text-xs", tone)} title={text}>
      <Icon aria-hidden="true" className="size-3" />
      <span className="sr-only">{text}</span>
      {moved !== null && moved !== 0 && <span aria-hidden="true">{Math.abs(moved)}</span>}
    </span>
  );
}
