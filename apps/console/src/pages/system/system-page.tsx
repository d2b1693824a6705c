import { Link } from "@tanstack/react-router";
import { BookCheck, ChartNoAxesColumn, RotateCw, TriangleAlert } from "lucide-react";
import { clockParts, formatCount } from "../../format.ts";
import { LiveIndicator } from "../../shell/live-indicator.tsx";
import { useTexts } from "../../text/i18n.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button, buttonClass } from "../../ui/button.tsx";
import { Page } from "../../ui/page.tsx";
import { FailureBox, SkeletonRows } from "../../ui/states.tsx";
import { BreakersCard } from "./breakers-card.tsx";
import { CachesSection } from "./caches-section.tsx";
import { ConfigCard } from "./config-card.tsx";
import { InstancesTable } from "./instances-table.tsx";
import { BusCard, PostgresCard, RedisCard } from "./store-cards.tsx";
import { useSystem } from "./use-system.ts";

/** The installation's processes and stores. Processes report on their own; the stores are queried when the page opens, and on request. */
export function SystemPage() {
  const { t } = useTexts();
  const { data, dataUpdatedAt, error, refetch, isFetching, processes, breakers, readAgain } = useSystem();
  return (
    <Page
      title={t("system.title")}
      state={<LiveIndicator />}
      lead={t("system.lead")}
      actions={
        <>
          {data && (
            <span className="text-xs tabular-nums text-ink-3 max-sm:hidden">
              {t("system.asOf", { time: clockParts(data.serverNowMs).time })}
            </span>
          )}
          <Link to="/system/figures" className={buttonClass({ variant: "outline" })}>
            <ChartNoAxesColumn aria-hidden="true" />
            {t("figures.title")}
          </Link>
          <LedgerLink quarantined={data?.quarantined ?? 0} />
          <Button busy={isFetching && data !== undefined} onClick={readAgain}>
            {!(isFetching && data) && <RotateCw aria-hidden="true" />}
            {t("system.refresh")}
          </Button>
        </>
      }
    >
      {error && <FailureBox error={error} asOfMs={dataUpdatedAt} onRetry={() => void refetch()} />}
      {!data && !error && <SkeletonRows className="rounded-xl border border-line bg-surface" />}
      {data && (
        <>
          <InstancesTable instances={processes} />
          <div className="grid gap-4 md:grid-cols-2 xl:grid-cols-3">
            <PostgresCard facts={data.postgres} />
            <RedisCard facts={data.redis} nowMs={data.serverNowMs} />
            <BusCard busId={data.busId} instances={processes} />
            <ConfigCard instances={processes} />
            <BreakersCard breakers={breakers} />
          </div>
          <CachesSection instances={processes} />
        </>
      )}
    </Page>
  );
}

function LedgerLink({ quarantined }: { quarantined: number }) {
  const { t, language } = useTexts();
  return (
    <Link to="/system/ledger" className={buttonClass({ variant: "outline" })}>
      <BookCheck aria-hidden="true" />
      {t("ledger.title")}
      {quarantined > 0 && (
        <Badge tone="warn">
          <TriangleAlert aria-hidden="true" />
          {t("ledger.quarantinedCount", { count: quarantined, shown: formatCount(quarantined, language) })}
        </Badge>
      )}
    </Link>
  );
}
