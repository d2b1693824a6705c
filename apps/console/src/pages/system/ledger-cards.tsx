import type { InstanceState, SettlerState } from "@sluice/core/events";
import { Link } from "@tanstack/react-router";
import { CircleAlert, CircleCheck } from "lucide-react";
import type { ReactNode } from "react";
import { formatDuration, formatExact } from "../../format.ts";
import { SettledNote } from "../../ledger/settled-note.tsx";
import { useTexts } from "../../text/i18n.ts";
import { Badge } from "../../ui/badge.tsx";
import { FactCard, Facts } from "./fact-card.tsx";

/** The documented bound on the lag of rows and sums. */
const MOST_LAG_MS = 30_000;

/** All gateways together: their lag, their work since their start, and the ledger settings in force. */
export function LedgerCards({ gateways }: { gateways: readonly InstanceState[] }) {
  const { t, language } = useTexts();
  const lagMs = Math.max(...gateways.map(({ spool }) => spool?.oldestAgeMs ?? 0));
  const settlers = gateways.flatMap(({ spool }) => (spool?.settler ? [spool.settler] : []));
  const sum = (of: (settler: SettlerState) => number): number => settlers.reduce((total, one) => total + of(one), 0);
  const [flushes, rows] = [sum((one) => one.flushes), sum((one) => one.rows)];
  const exact = (value: number): string => formatExact(value, language);
  const late = lagMs > MOST_LAG_MS;
  return (
    <div className="grid gap-4 md:grid-cols-2 xl:grid-cols-3">
      <FactCard
        title={t("ledger.lag")}
        state={
          <Badge tone={late ? "bad" : "ok"}>
            {late ? <CircleAlert aria-hidden="true" /> : <CircleCheck aria-hidden="true" />}
            {formatDuration(lagMs)}
          </Badge>
        }
      >
        <Facts facts={[[t("ledger.waiting"), exact(gateways.reduce((total, { spool }) => total + (spool?.depth ?? 0), 0))]]} />
        <p>
          <SettledNote />
        </p>
        <p className="text-xs text-ink-3">{t("ledger.lagHint")}</p>
      </FactCard>
      <FactCard title={t("ledger.sinceStart")}>
        <Facts
          facts={[
            [t("ledger.rows"), exact(rows)],
            [t("ledger.rowsPerFlush"), flushes === 0 ? "—" : exact(Math.round((rows / flushes) * 10) / 10)],
            [t("ledger.failures"), exact(sum((one) => one.failures))],
            [t("ledger.recovered"), exact(sum((one) => one.recovered))],
          ]}
        />
      </FactCard>
      <InForceCard settlers={settlers} />
    </div>
  );
}

/** As reported by the gateways instead of read from the settings, so that it shows what is actually in force. */
function InForceCard({ settlers }: { settlers: readonly SettlerState[] }) {
  const { t, language } = useTexts();
  const every = (of: (settler: SettlerState) => string): string => [...new Set(settlers.map(of))].join(" / ") || "—";
  const facts: [name: string, value: ReactNode][] = [
    [t("settings.name.ledger_mode"), every(({ mode }) => t(`settings.option.${mode}`))],
    [t("settings.name.ledger_durability"), every(({ durability }) => t(`settings.option.${durability}`))],
    [t("settings.name.ledger_batchSize"), every(({ batchSize }) => formatExact(batchSize, language))],
    [t("settings.name.ledger_intervalMs"), every(({ intervalMs }) => formatDuration(intervalMs))],
  ];
  return (
    <FactCard
      title={t("ledger.inForce")}
      state={
        <Link to="/settings" search={{ q: "ledger" }} className="text-sm text-accent-ink hover:underline">
          {t("ledger.change")}
        </Link>
      }
    >
      <Facts facts={facts} />
    </FactCard>
  );
}
