import { type Compared, type CompareSplit, type Comparison, compareSplits } from "@sluice/core/statistics";
import { getRouteApi } from "@tanstack/react-router";
import { Scale, TriangleAlert } from "lucide-react";
import { client } from "../../api/client.ts";
import { useNames } from "../../api/names.ts";
import { serverNow } from "../../live/server-clock.ts";
import { LiveIndicator } from "../../shell/live-indicator.tsx";
import { AnswerNote } from "../../statistics/answer-note.tsx";
import { SpanBar } from "../../statistics/filter-bar.tsx";
import { type Measure, measures } from "../../statistics/measures.ts";
import { spanOf } from "../../statistics/search.ts";
import { useLiveAnswer } from "../../statistics/use-live-answer.ts";
import { useTexts } from "../../text/i18n.ts";
import { Page } from "../../ui/page.tsx";
import { Segments } from "../../ui/segments.tsx";
import { Empty, FailureBox, SkeletonRows } from "../../ui/states.tsx";
import { CompareChart } from "./compare-chart.tsx";
import { CompareTable } from "./compare-table.tsx";
import { EntryPicker } from "./entry-picker.tsx";
import { type CompareSearch, idsOf, idsText } from "./search.ts";

const route = getRouteApi("/app/compare");
const ofAdmins: readonly CompareSplit[] = ["user", "provider"];

/** Two to five keys, users, providers or models side by side over the same range. */
export function ComparePage() {
  const { t } = useTexts();
  const { login } = route.useRouteContext();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const names = useNames();
  const { role } = login.user;
  const splits = compareSplits.filter((split) => role === "admin" || !(ofAdmins.includes(split) || (role === "key" && split === "key")));
  const by = search.by && splits.includes(search.by) ? search.by : "model";
  const ids = idsOf(search);
  const { measure = "requests" } = search;
  const change = (part: Partial<CompareSearch>): void => void navigate({ search: (now) => ({ ...now, ...part }), replace: true });
  const nameOf = (id: string): string => (by === "key" || by === "user" || by === "provider" ? names[by](id) : id);
  return (
    <Page title={t("compare.title")} state={<LiveIndicator />} lead={t("compare.lead")}>
      <search aria-label={t("statistics.filters")} className="flex flex-wrap items-center gap-x-3 gap-y-2">
        <Segments<CompareSplit>
          label={t("compare.what")}
          value={by}
          options={splits.map((value) => ({ value, label: t(`compare.of.${value}`) }))}
          onChange={(value) => change({ by: value, ids: undefined })}
        />
        <span className="flex flex-wrap items-center gap-1.5">
          <SpanBar search={search} zone={undefined} onChange={change} />
        </span>
      </search>
      <EntryPicker by={by} ids={ids} nameOf={nameOf} onChange={(next) => change({ ids: idsText(next) })} />
      {ids.length < 2 ? (
        <Empty icon={<Scale />} title={t("compare.emptyTitle")} text={t("compare.emptyText")} />
      ) : (
        <ComparisonView search={search} by={by} ids={ids} measure={measure} nameOf={nameOf} onChange={change} />
      )}
    </Page>
  );
}

interface ComparedProps {
  search: CompareSearch;
  by: CompareSplit;
  ids: readonly string[];
  measure: Measure;
  nameOf(id: string): string;
  onChange(change: Partial<CompareSearch>): void;
}

function ComparisonView({ search, by, ids, measure, nameOf, onChange }: ComparedProps) {
  const { t } = useTexts();
  const { from, to, step, zone } = search;
  const { data, error, busy, retry } = useLiveAnswer(
    [["statistics", "compare"], { by, ids, from, to, step, zone }],
    () => client.statistics.compare.query({ ...spanOf(search, serverNow()), by, ids: [...ids] }),
    to === undefined,
  );
  // The answer for another selection may still be shown while this one loads.
  const fits = data?.by === by;
  if (error !== null) return <FailureBox error={error} onRetry={retry} />;
  if (!data || !fits) return <SkeletonRows rows={8} />;
  return (
    <section aria-label={t("compare.title")} aria-busy={busy || undefined} className="flex flex-col gap-3">
      <p className="text-xs text-ink-3">
        <AnswerNote answer={data} zone={data.zone} />
      </p>
      <FailedNote comparison={data} nameOf={nameOf} onRetry={retry} />
      <CompareTable comparison={data} search={search} nameOf={nameOf} />
      <Segments<Measure>
        label={t("statistics.measure")}
        value={measure}
        options={measures.map((value) => ({ value, label: t(`statistics.measures.${value}`) }))}
        onChange={(value) => onChange({ measure: value })}
      />
      <CompareChart comparison={data} measure={measure} nameOf={nameOf} onZoom={(start, end) => onChange({ from: start, to: end })} />
    </section>
  );
}

/** Names the entries that could not be read, so that they are not mistaken for zero. */
function FailedNote({ comparison, nameOf, onRetry }: { comparison: Comparison; nameOf(id: string): string; onRetry(): void }) {
  const { t, language } = useTexts();
  const failed = comparison.entries.filter((entry): entry is Extract<Compared, { failed: true }> => entry.failed);
  if (failed.length === 0) return null;
  const names = new Intl.ListFormat(language, { type: "conjunction" }).format(failed.map(({ id }) => nameOf(id)));
  return (
    <p role="alert" className="flex flex-wrap items-center gap-2.5 rounded-lg border border-warn/35 bg-warn-soft px-3 py-2 text-sm">
      <TriangleAlert aria-hidden="true" className="size-4 shrink-0 text-warn" />
      <span className="min-w-0 flex-1">{t("compare.failed", { names })}</span>
      <button type="button" onClick={onRetry} className="min-h-6 font-medium text-accent-ink hover:underline">
        {t("common.retry")}
      </button>
    </p>
  );
}
