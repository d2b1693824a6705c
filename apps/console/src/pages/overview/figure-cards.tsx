import { type Sums, tokensOf } from "@sluice/core/overview";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { Difference } from "../../figures/difference.tsx";
import { exactCost, formatCost, formatCount, formatDuration, formatExact, formatPercent } from "../../format.ts";
import type { OverviewView } from "../../live/overview-board.ts";
import { useTexts } from "../../text/i18n.ts";
import { NowCard } from "./now-card.tsx";

const figure =
  "after:absolute after:inset-0 after:rounded-xl hover:text-accent-ink focus-visible:outline-none focus-visible:after:outline-2 focus-visible:after:outline-ring";

/** Today so far, each figure compared with yesterday's at this time of day; and current activity. */
export function FigureCards({ view }: { view: OverviewView }) {
  const { t, language } = useTexts();
  const { overview, then } = view;
  const { today, startMs } = overview.day;
  const tokens = tokensOf(today);
  const search = { from: startMs };
  const count = (value: number): string => formatCount(Math.round(value), language);
  const errorRate = ratio(today.errors, today.requests);
  const ttft = ratio(today.ttftMsSum, today.ttftCount);
  return (
    <ul className="grid grid-cols-2 gap-3 lg:grid-cols-4">
      <Card
        label={t("overview.requests")}
        value={<ToLogs search={search}>{count(today.requests)}</ToLogs>}
        exact={formatExact(today.requests, language)}
        note={<Change now={today.requests} then={then.requests} text={count(then.requests)} />}
      />
      <Card
        label={t("overview.tokens")}
        value={<ToLogs search={search}>{count(tokens)}</ToLogs>}
        exact={`${formatExact(tokens, language)} (${t("overview.kinds", kindsOf(today, language))})`}
        note={<Change now={tokens} then={then.tokens} text={count(then.tokens)} />}
      />
      <Card
        label={t("overview.cost")}
        value={<ToLogs search={search}>{formatCost(today.costNanoUsd)}</ToLogs>}
        exact={exactCost(today.costNanoUsd)}
        note={<Change now={Number(today.costNanoUsd)} then={Number(then.costNanoUsd)} text={formatCost(then.costNanoUsd)} />}
      />
      <Card
        label={t("overview.errorRate")}
        value={<ToLogs search={{ ...search, state: "error" }}>{formatPercent(today.errors, today.requests)}</ToLogs>}
        exact={t("overview.errorsOf", {
          count: today.requests,
          errors: formatExact(today.errors, language),
          requests: formatExact(today.requests, language),
        })}
        note={<Change points now={errorRate} then={ratio(then.errors, then.requests)} text={formatPercent(then.errors, then.requests)} />}
      />
      <Card
        label={t("overview.ttft")}
        value={<ToLogs search={search}>{formatDuration(ttft)}</ToLogs>}
        exact={t("overview.meanOf", { count: today.ttftCount })}
        note={
          <Change now={ttft} then={ratio(then.ttftMsSum, then.ttftCount)} text={formatDuration(ratio(then.ttftMsSum, then.ttftCount))} />
        }
      />
      <Card
        label={t("overview.inFlight")}
        value={<ToLogs search={{ state: "in_flight" }}>{count(view.inFlight)}</ToLogs>}
        exact={formatExact(view.inFlight, language)}
        note={<Change now={view.inFlight} then={then.inFlight} text={`≈ ${oneDigit(then.inFlight, language)}`} />}
      />
      <Card
        label={t("overview.sessions")}
        value={
          <Link to="/sessions" className={figure}>
            {count(view.sessions)}
          </Link>
        }
        exact={formatExact(view.sessions, language)}
        note={
          then.sessions === null ? (
            <p className="text-ink-3">{t("overview.notMeasured")}</p>
          ) : (
            <Change now={view.sessions} then={then.sessions} text={count(then.sessions)} />
          )
        }
      />
      <NowCard rates={view.rates} />
    </ul>
  );
}

interface ToLogsProps {
  search: { from?: number; state?: "error" | "in_flight" };
  children: string;
}

function ToLogs({ search, children }: ToLogsProps) {
  return (
    <Link to="/logs" search={search} className={figure}>
      {children}
    </Link>
  );
}

interface CardProps {
  label: string;
  /** A link that covers the card. */
  value: ReactNode;
  exact: string;
  note: ReactNode;
}

function Card({ label, value, exact, note }: CardProps) {
  return (
    <li
      className="relative flex min-w-0 flex-col rounded-xl border border-line bg-surface px-4 pt-3 pb-3.5 hover:border-line-strong"
      title={exact}
    >
      <span className="truncate text-xs font-medium text-ink-2">{label}</span>
      <span className="mt-0.5 truncate text-2xl font-semibold tracking-tight">
        <span className="sr-only">{label}: </span>
        {value}
      </span>
      <div className="mt-1 text-xs">{note}</div>
    </li>
  );
}

interface ChangeProps {
  /** null = nothing was measured. */
  now: number | null;
  then: number | null;
  /** Yesterday's figure, formatted. */
  text: string;
  /** Whether the values are shares, compared in percentage points. */
  points?: boolean;
}

/** The change since yesterday, and yesterday's figure. */
function Change({ now, then, text, points = false }: ChangeProps) {
  const { t } = useTexts();
  return (
    <>
      <Difference now={now} then={then} points={points} same={t("overview.same")} />
      <p className="truncate text-ink-3">
        {then === null || then === 0 ? t("overview.noneYesterday") : t("overview.yesterday", { figure: text })}
      </p>
    </>
  );
}

function ratio(part: number, whole: number): number | null {
  return whole > 0 ? part / whole : null;
}

function oneDigit(value: number, language: string): string {
  return new Intl.NumberFormat(language, { maximumFractionDigits: 1 }).format(value);
}

function kindsOf({ input, output, cacheWrite, cacheRead }: Sums, language: string) {
  return {
    input: formatExact(input, language),
    output: formatExact(output, language),
    cacheWrite: formatExact(cacheWrite, language),
    cacheRead: formatExact(cacheRead, language),
  };
}
