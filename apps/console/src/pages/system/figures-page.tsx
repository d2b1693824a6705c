import { useState } from "react";
import { LiveIndicator } from "../../shell/live-indicator.tsx";
import { useTexts } from "../../text/i18n.ts";
import { Page } from "../../ui/page.tsx";
import { Segments } from "../../ui/segments.tsx";
import { FailureBox, SkeletonRows } from "../../ui/states.tsx";
import { BackToSystem } from "./back-to-system.tsx";
import { DurationsTable } from "./durations-table.tsx";
import { LedgerFiguresCard, PostgresFiguresCard, ProcessFiguresCard, RedisFiguresCard } from "./figure-cards.tsx";
import { SlowQueriesCard } from "./slow-queries-card.tsx";
import { useFigures } from "./use-figures.ts";

/** The installation's own measurements, live: the same as in /metrics. */
export function FiguresPage() {
  const { t } = useTexts();
  const { data, dataUpdatedAt, error, refetch, processes, stores } = useFigures();
  const [chosen, choose] = useState("");
  const wanted = chosen || data?.process?.instanceId;
  const shown = processes.find(({ now }) => now.instanceId === wanted) ?? processes[0];
  const names = processes.map(({ now }) => ({ value: now.instanceId, label: now.instanceId }));
  return (
    <Page title={t("figures.title")} state={<LiveIndicator />} lead={t("figures.lead")} actions={<BackToSystem />}>
      {error && <FailureBox error={error} asOfMs={dataUpdatedAt} onRetry={() => void refetch()} />}
      {!data && !error && <SkeletonRows className="rounded-xl border border-line bg-surface" />}
      {names.length > 1 && shown && (
        <Segments label={t("figures.process")} value={shown.now.instanceId} options={names} onChange={choose} />
      )}
      <div className="grid gap-4 md:grid-cols-2 xl:grid-cols-4">
        {stores && <PostgresFiguresCard told={stores} />}
        {stores && <RedisFiguresCard told={stores} lockConflicts={processes.reduce((sum, { now }) => sum + now.lockConflicts, 0)} />}
        {shown && <ProcessFiguresCard told={shown} />}
        {shown?.now.ledger && <LedgerFiguresCard told={shown} />}
      </div>
      {shown && (
        <>
          <DurationsTable label={t("figures.endpoints")} rows={shown.now.endpoints} hint={t("figures.endpointsHint")} />
          <div className="grid gap-4 xl:grid-cols-2">
            <DurationsTable label={t("figures.queries")} rows={shown.now.queries} hint={t("figures.queriesHint")} />
            <DurationsTable label={t("figures.pages")} rows={shown.now.pages} hint={t("figures.pagesHint")} />
          </div>
          <SlowQueriesCard queries={shown.now.slowQueries} count={shown.now.slowQueryCount} />
        </>
      )}
    </Page>
  );
}
