import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { api, type Outputs } from "../../api/client.ts";
import { formatBytes, formatDate, formatDateTime, formatExact } from "../../format.ts";
import { useTexts } from "../../text/i18n.ts";
import type { Translate } from "../../text/translator.ts";
import { FailureBox } from "../../ui/states.tsx";
import { FactCard, Facts } from "./fact-card.tsx";

type Retention = Outputs["system"]["retention"];

/** What is kept for how long, what goes next and when, and what was archived. */
export function RetentionCard() {
  const { t, language } = useTexts();
  const { data, error, refetch } = useQuery({ ...api.system.retention.queryOptions(), refetchOnMount: "always" });
  if (error) return <FailureBox error={error} onRetry={() => void refetch()} />;
  return (
    <FactCard
      title={t("retention.title")}
      state={
        <Link to="/settings" search={{ q: "retention" }} className="text-sm text-accent-ink hover:underline">
          {t("ledger.change")}
        </Link>
      }
    >
      {data && (
        <>
          <Facts
            facts={[
              [t("retention.requests"), days(t, data.requestDays)],
              [t("retention.details"), days(t, data.detailDays)],
              [t("retention.fiveMinutes"), days(t, data.fiveMinuteDays)],
              [t("retention.incidents"), days(t, data.incidentDays)],
              [t("retention.hours"), t("retention.forGood")],
              ...(data.keptFromMs === null ? [] : [[t("retention.keptFrom"), formatDate(data.keptFromMs, language)] as const]),
            ]}
          />
          <Next retention={data} />
        </>
      )}
    </FactCard>
  );
}

function days(t: Translate, count: number): string {
  return count === 0 ? t("retention.forGood") : t("retention.days", { count });
}

function Next({ retention: { next, waiting, archives, archive } }: { retention: Retention }) {
  const { t, language } = useTexts();
  return (
    <ul className="flex flex-col gap-1 text-xs text-ink-3">
      {next.map(({ table, fromMs, dropsAtMs, sizeBytes }) => (
        <li key={table}>
          {t(`retention.next.${table}`, {
            of: month(fromMs, language),
            time: formatDate(dropsAtMs, language),
            size: formatBytes(sizeBytes, language),
          })}
        </li>
      ))}
      {waiting.length > 0 && <li className="text-warn">{t("retention.waiting", { count: waiting.length })}</li>}
      <li>{archive === "none" ? t("retention.noArchive") : t("retention.archiveFirst")}</li>
      {archives.slice(0, 3).map(({ name, path, rows, atMs }) => (
        <li key={name} title={formatDateTime(atMs, language)} className="break-all">
          {t("retention.archived", { path, count: rows, rows: formatExact(rows, language) })}
        </li>
      ))}
    </ul>
  );
}

/** Partitions follow UTC. */
function month(ms: number, language: string): string {
  return new Intl.DateTimeFormat(language, { year: "numeric", month: "long", timeZone: "UTC" }).format(ms);
}
