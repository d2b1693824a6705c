import { DatabaseZap } from "lucide-react";
import { LiveIndicator } from "../../shell/live-indicator.tsx";
import { useTexts } from "../../text/i18n.ts";
import { Page } from "../../ui/page.tsx";
import { Empty, FailureBox, SkeletonRows } from "../../ui/states.tsx";
import { BackToSystem } from "./back-to-system.tsx";
import { LedgerCards } from "./ledger-cards.tsx";
import { QuarantineSection } from "./quarantine-section.tsx";
import { ReconciliationSection } from "./reconciliation-section.tsx";
import { RetentionCard } from "./retention-card.tsx";
import { SettlersTable } from "./settlers-table.tsx";
import { useSystem } from "./use-system.ts";

/** How far settling lags, which records were refused, and whether the books are correct. Gateways report every five seconds. */
export function LedgerPage() {
  const { t } = useTexts();
  const { data, dataUpdatedAt, error, refetch, processes } = useSystem();
  const gateways = processes.filter(({ spool }) => spool !== null);
  return (
    <Page title={t("ledger.title")} state={<LiveIndicator />} lead={t("ledger.lead")} actions={<BackToSystem />}>
      {error && <FailureBox error={error} asOfMs={dataUpdatedAt} onRetry={() => void refetch()} />}
      {!data && !error && <SkeletonRows rows={3} className="rounded-xl border border-line bg-surface" />}
      {data && gateways.length === 0 && (
        <div className="rounded-xl border border-line bg-surface">
          <Empty icon={<DatabaseZap />} title={t("ledger.noGateway")} text={t("ledger.noGatewayText")} />
        </div>
      )}
      {gateways.length > 0 && (
        <>
          <LedgerCards gateways={gateways} />
          <SettlersTable gateways={gateways} />
        </>
      )}
      <RetentionCard />
      <ReconciliationSection />
      <QuarantineSection />
    </Page>
  );
}
