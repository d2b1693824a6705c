import type { TopEntry } from "@sluice/core/overview";
import { type OverviewSplit, overviewSplits } from "@sluice/core/overview-range";
import { Link } from "@tanstack/react-router";
import { exactCost, formatCost, formatCount, formatExact, formatPercent } from "../../format.ts";
import type { OverviewView } from "../../live/overview-board.ts";
import { useTexts } from "../../text/i18n.ts";

interface TopListsProps {
  view: OverviewView;
  nameOf(split: OverviewSplit, id: string): string;
}

/** The most expensive models, providers, users and keys of the range; each links to its requests. */
export function TopLists({ view, nameOf }: TopListsProps) {
  const { t } = useTexts();
  const { top, range } = view.overview;
  const lists = overviewSplits.flatMap((split) => (top[split] ? [{ split, entries: top[split] }] : []));
  return (
    <div className="grid gap-3 md:grid-cols-2 2xl:grid-cols-4">
      {lists.map(({ split, entries }) => (
        <section
          key={split}
          aria-label={t(`overview.top.${split}`)}
          className="min-w-0 rounded-xl border border-line bg-surface pt-2.5 pb-1.5"
        >
          <h3 className="flex items-baseline justify-between px-4 pb-1 text-sm font-medium">
            {t(`overview.top.${split}`)}
            <span className="text-xs font-normal text-ink-3">{t("overview.cost")}</span>
          </h3>
          {entries.length === 0 && <p className="px-4 py-3 text-sm text-ink-3">{t("overview.noRequests")}</p>}
          <ol>
            {entries.map((entry) => (
              <li key={entry.id}>
                <TopLine split={split} range={range} entry={entry} name={nameOf(split, entry.id)} share={shareOf(entry, entries)} />
              </li>
            ))}
          </ol>
        </section>
      ))}
    </div>
  );
}

interface TopLineProps {
  split: OverviewSplit;
  range: string;
  entry: TopEntry;
  name: string;
  /** Relative to the first entry, 0 to 1. */
  share: number;
}

function TopLine({ split, range, entry, name, share }: TopLineProps) {
  const { t, language } = useTexts();
  const { requests, errors, tokens, costNanoUsd } = entry;
  return (
    <Link to="/logs" search={{ [split]: entry.id, from: `now-${range}` }} className="group relative block px-4 py-1.5 hover:bg-hover">
      <span className="flex items-baseline justify-between gap-3 text-sm">
        <span className="truncate font-medium text-ink group-hover:text-accent-ink" title={name}>
          {name}
        </span>
        <span className="font-medium" title={exactCost(costNanoUsd)}>
          {formatCost(costNanoUsd)}
        </span>
      </span>
      <span className="flex items-baseline justify-between gap-3 text-xs text-ink-3">
        <span className="truncate" title={`${formatExact(requests, language)} / ${formatExact(tokens, language)}`}>
          {t("overview.line", {
            count: requests,
            requests: formatCount(requests, language),
            tokens: formatCount(tokens, language),
          })}
        </span>
        {errors > 0 && <span className="text-bad">{t("overview.errors", { rate: formatPercent(errors, requests) })}</span>}
      </span>
      <span aria-hidden="true" className="mt-1 block h-1 overflow-hidden rounded-full bg-idle-soft">
        <span className="block h-full rounded-full bg-accent" style={{ width: `${share * 100}%` }} />
      </span>
    </Link>
  );
}

function shareOf(entry: TopEntry, [first]: readonly TopEntry[]): number {
  const most = Number(first?.costNanoUsd ?? 0);
  return most > 0 ? Number(entry.costNanoUsd) / most : 0;
}
