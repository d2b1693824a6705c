import type { InstanceState } from "@sluice/core/events";
import { CircleAlert, CircleCheck } from "lucide-react";
import type { Outputs } from "../../api/client.ts";
import { formatBytes, formatDuration, formatExact } from "../../format.ts";
import { useTexts } from "../../text/i18n.ts";
import { Badge } from "../../ui/badge.tsx";
import { FactCard, Facts } from "./fact-card.tsx";

type System = Outputs["system"]["get"];

function Answers({ version }: { version: string | null }) {
  const { t } = useTexts();
  return version === null ? (
    <Badge tone="bad">
      <CircleAlert aria-hidden="true" />
      {t("system.noAnswer")}
    </Badge>
  ) : (
    <Badge tone="ok">
      <CircleCheck aria-hidden="true" />
      {version}
    </Badge>
  );
}

/** PostgreSQL: its version, size, connections and newest migration; only that it does not answer, if so. */
export function PostgresCard({ facts }: { facts: System["postgres"] }) {
  const { t, language } = useTexts();
  return (
    <FactCard title="PostgreSQL" state={<Answers version={facts ? (facts.version.split(" ")[0] ?? "") : null} />}>
      {facts && (
        <Facts
          facts={[
            [t("system.size"), formatBytes(facts.sizeBytes, language)],
            [t("system.connections"), t("system.connectionsOf", { used: facts.connections, most: facts.maxConnections })],
            [
              t("system.migrations"),
              <span key="m" title={facts.newestMigration}>
                {formatExact(facts.migrations, language)}
              </span>,
            ],
          ]}
        />
      )}
    </FactCard>
  );
}

/** The same of Redis, or that none is used. */
export function RedisCard({ facts, nowMs }: { facts: System["redis"]; nowMs: number }) {
  const { t, language } = useTexts();
  if (facts === "not_used")
    return (
      <FactCard title="Redis">
        <p className="text-ink-2">{t("system.notUsed")}</p>
      </FactCard>
    );
  return (
    <FactCard title="Redis" state={<Answers version={facts?.version ?? null} />}>
      {facts && (
        <Facts
          facts={[
            [t("system.memory"), formatBytes(facts.memoryBytes, language)],
            [t("system.clients"), formatExact(facts.clients, language)],
            [t("system.uptime"), formatDuration(nowMs - facts.startedAtMs)],
          ]}
        />
      )}
    </FactCard>
  );
}

/** The event bus: how many streams read from it, how much they get, and its position. */
export function BusCard({ busId, instances }: { busId: string; instances: readonly InstanceState[] }) {
  const { t, language } = useTexts();
  const [epoch = "", position = ""] = busId.split(":");
  const sum = (of: (instance: InstanceState) => number): number => instances.reduce((total, one) => total + of(one), 0);
  return (
    <FactCard title={t("system.bus")}>
      <Facts
        facts={[
          [
            t("system.subscribers"),
            formatExact(
              sum(({ subscribers }) => subscribers),
              language,
            ),
          ],
          [t("system.frames"), formatExact(Math.round(sum(({ framesPerSecond }) => framesPerSecond) * 10) / 10, language)],
          [
            t("system.epoch"),
            <span key="e" className="font-mono text-xs">
              {epoch}
            </span>,
          ],
          [
            t("system.position"),
            <span key="p" className="font-mono text-xs">
              {position}
            </span>,
          ],
        ]}
      />
    </FactCard>
  );
}
