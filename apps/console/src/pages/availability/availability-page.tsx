import type { Availability } from "@sluice/core/statistics";
import { getRouteApi } from "@tanstack/react-router";
import { HeartPulse } from "lucide-react";
import { client } from "../../api/client.ts";
import { useNames } from "../../api/names.ts";
import { serverNow } from "../../live/server-clock.ts";
import { LiveIndicator } from "../../shell/live-indicator.tsx";
import { AnswerNote } from "../../statistics/answer-note.tsx";
import { FilterBar, SpanBar } from "../../statistics/filter-bar.tsx";
import { spanOf } from "../../statistics/search.ts";
import { useLiveAnswer } from "../../statistics/use-live-answer.ts";
import { useTexts } from "../../text/i18n.ts";
import { Page } from "../../ui/page.tsx";
import { Empty, FailureBox, SkeletonRows } from "../../ui/states.tsx";
import { AvailabilityTable } from "./availability-table.tsx";
import type { AvailabilitySearch } from "./search.ts";

const route = getRouteApi("/app/admin/availability");
const fields = ["provider", "model"] as const;

/** Availability of each provider and its models: outcomes and durations of requests over the range. */
export function AvailabilityPage() {
  const { t } = useTexts();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const names = useNames();
  const { provider, model, from, to, step, zone } = search;
  const change = (part: Partial<AvailabilitySearch>): void => void navigate({ search: (now) => ({ ...now, ...part }), replace: true });
  const { data, error, busy, retry } = useLiveAnswer<Availability & { asOf: number; cache: "hit" | "miss" | "bypass" }>(
    [["statistics", "availability"], { provider, model, from, to, step, zone }],
    () =>
      client.statistics.availability.query({
        ...spanOf(search, serverNow()),
        providerId: provider || undefined,
        model: model || undefined,
      }),
    to === undefined,
  );
  return (
    <Page title={t("availability.title")} state={<LiveIndicator />} lead={data && <AnswerNote answer={data} zone={data.zone} />}>
      <search aria-label={t("statistics.filters")} className="flex flex-wrap items-center gap-1.5">
        <SpanBar search={search} zone={data?.zone} onChange={change} />
        <FilterBar search={{ provider, model }} fields={fields} onChange={change} />
      </search>
      {error !== null && <FailureBox error={error} onRetry={retry} />}
      {!data && error === null && <SkeletonRows rows={10} />}
      {data && data.rows.length === 0 && (
        <Empty icon={<HeartPulse />} title={t("availability.emptyTitle")} text={t("availability.emptyText")} />
      )}
      {data && data.rows.length > 0 && (
        <section aria-label={t("availability.title")} aria-busy={busy || undefined} className="flex flex-col gap-2">
          <AvailabilityTable availability={data} search={search} names={names} />
          {data.total > data.rows.length && (
            <p className="text-center text-xs text-ink-3">{t("availability.more", { shown: data.rows.length, total: data.total })}</p>
          )}
        </section>
      )}
    </Page>
  );
}
