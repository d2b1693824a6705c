import type { ProcessFigures, StoreFigures } from "@sluice/core/figures";
import { CircleAlert, CircleCheck } from "lucide-react";
import { formatBytes, formatDuration, formatExact, formatPercent } from "../../format.ts";
import { perSecond, type Told } from "../../live/figures-board.ts";
import { useTexts } from "../../text/i18n.ts";
import { Badge } from "../../ui/badge.tsx";
import { FactCard, Facts } from "./fact-card.tsx";

/** Formatters for counts, bytes and rates. */
function useWriters() {
  const { t, language } = useTexts();
  const exact = (value: number): string => formatExact(value, language);
  const round = (value: number): string => exact(value >= 100 ? Math.round(value) : Math.round(value * 10) / 10);
  return {
    t,
    exact,
    round,
    bytes: (value: number): string => formatBytes(value, language),
    rate: (value: number | null): string => (value === null ? "—" : t("figures.aSecond", { value: round(value) })),
    byteRate: (value: number | null): string => (value === null ? "—" : t("figures.aSecond", { value: formatBytes(value, language) })),
  };
}

function Answers({ isUp }: { isUp: boolean }) {
  const { t } = useTexts();
  return (
    <Badge tone={isUp ? "ok" : "bad"}>
      {isUp ? <CircleCheck aria-hidden="true" /> : <CircleAlert aria-hidden="true" />}
      {t(isUp ? "figures.answers" : "system.noAnswer")}
    </Badge>
  );
}

export function PostgresFiguresCard({ told }: { told: Told<StoreFigures> }) {
  const { t, exact, bytes, rate, byteRate } = useWriters();
  const { postgres } = told.now;
  const rose = (of: (figures: NonNullable<StoreFigures["postgres"]>) => number | null): number | null =>
    perSecond(told, (stores) => stores.postgres && of(stores.postgres));
  return (
    <FactCard title="PostgreSQL" state={<Answers isUp={postgres !== null} />}>
      {postgres && (
        <Facts
          facts={[
            [t("figures.statements"), rate(rose((of) => of.statements))],
            [t("figures.transactions"), rate(rose((of) => of.transactions))],
            [t("figures.rowsWritten"), rate(rose((of) => of.rowsWritten))],
            [t("system.connections"), t("system.connectionsOf", { used: postgres.connections, most: postgres.maxConnections })],
            [t("figures.active"), exact(postgres.active)],
            [t("figures.onCpu"), exact(postgres.onCpu)],
            [t("figures.lockWaits"), exact(postgres.lockWaits)],
            [t("figures.deadlocks"), exact(postgres.deadlocks)],
            [t("figures.longest"), formatDuration(postgres.longestActiveMs)],
            [t("figures.blocksRead"), rate(rose((of) => of.blocksRead))],
            [t("figures.bufferHits"), formatPercent(postgres.blocksHit, postgres.blocksHit + postgres.blocksRead)],
            [t("figures.tempBytes"), bytes(postgres.tempBytes)],
            [
              t("figures.autovacuum"),
              t("figures.autovacuumOf", { workers: postgres.autovacuumWorkers, done: exact(postgres.autovacuums) }),
            ],
            [t("figures.deadRows"), exact(postgres.deadRows)],
            [t("figures.wal"), byteRate(rose((of) => of.walBytes))],
            [t("figures.replicationLag"), bytes(postgres.replicationLagBytes)],
          ]}
        />
      )}
    </FactCard>
  );
}

export function RedisFiguresCard({ told, lockConflicts }: { told: Told<StoreFigures>; lockConflicts: number }) {
  const { t, exact, bytes, rate, byteRate } = useWriters();
  const { redis } = told.now;
  if (redis === "not_used")
    return (
      <FactCard title="Redis">
        <p className="text-ink-2">{t("system.notUsed")}</p>
        <Facts facts={[[t("figures.lockConflicts"), exact(lockConflicts)]]} />
      </FactCard>
    );
  const rose = (of: (figures: Exclude<StoreFigures["redis"], "not_used" | null>) => number): number | null =>
    perSecond(told, (stores) => (stores.redis === "not_used" || stores.redis === null ? null : of(stores.redis)));
  return (
    <FactCard title="Redis" state={<Answers isUp={redis !== null} />}>
      {redis && (
        <Facts
          facts={[
            [t("figures.hitRate"), formatPercent(redis.keyHits, redis.keyHits + redis.keyMisses)],
            [
              t("system.memory"),
              redis.maxMemoryBytes > 0 ? `${bytes(redis.memoryBytes)} / ${bytes(redis.maxMemoryBytes)}` : bytes(redis.memoryBytes),
            ],
            [t("figures.commands"), rate(rose((of) => of.commands))],
            [t("figures.bytesIn"), byteRate(rose((of) => of.bytesIn))],
            [t("figures.bytesOut"), byteRate(rose((of) => of.bytesOut))],
            [t("figures.published"), rate(rose((of) => of.published))],
            [t("figures.cpu"), share(rose((of) => of.cpuSeconds))],
            [t("system.clients"), exact(redis.clients)],
            [t("figures.lockConflicts"), exact(lockConflicts)],
            [t("figures.evicted"), exact(redis.evicted)],
            [t("figures.slowCommands"), exact(redis.slowCommands)],
          ]}
        />
      )}
    </FactCard>
  );
}

export function ProcessFiguresCard({ told }: { told: Told<ProcessFigures> }) {
  const { t, exact, bytes, rate } = useWriters();
  const { now } = told;
  return (
    <FactCard title={t("figures.process")}>
      <Facts
        facts={[
          [t("figures.cpu"), share(now.cpuShare)],
          [t("figures.loop"), share(now.loopShare)],
          [t("system.memory"), bytes(now.rssBytes)],
          [t("figures.heap"), bytes(now.heapBytes)],
          [t("figures.ownStatements"), rate(perSecond(told, (of) => of.queryCount))],
          [t("figures.pool"), t("figures.poolOf", { open: now.connections, waiting: now.connectionsWaiting })],
          [t("figures.events"), rate(perSecond(told, (of) => of.eventsPublished))],
          [t("figures.frames"), rate(perSecond(told, (of) => of.framesSent))],
          [t("figures.slow"), exact(now.slowQueryCount)],
        ]}
      />
    </FactCard>
  );
}

/** null for a process without a ledger. */
export function LedgerFiguresCard({ told }: { told: Told<ProcessFigures> }) {
  const { t, exact, round, rate } = useWriters();
  const { ledger } = told.now;
  if (!ledger) return null;
  const rose = (of: (figures: NonNullable<ProcessFigures["ledger"]>) => number): number | null =>
    perSecond(told, (process) => process.ledger && of(process.ledger));
  const each = (value: number): string => (ledger.requests === 0 ? "—" : round(value / ledger.requests));
  return (
    <FactCard title={t("ledger.title")}>
      <Facts
        facts={[
          [t("figures.requests"), rate(rose((of) => of.requests))],
          [t("figures.rowsPerRequest"), each(ledger.rows)],
          [t("figures.flushesPerRequest"), each(ledger.flushes)],
          [t("figures.flushes"), rate(rose((of) => of.flushes))],
          [t("ledger.failures"), exact(ledger.failures)],
          [t("ledger.waiting"), exact(ledger.depth)],
        ]}
      />
    </FactCard>
  );
}

function share(of: number | null): string {
  return of === null ? "—" : formatPercent(of, 1);
}
