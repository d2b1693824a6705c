import { useQuery } from "@tanstack/react-query";
import { ShieldCheck } from "lucide-react";
import { api } from "../../api/client.ts";
import { useNames } from "../../api/names.ts";
import { formatDateTime } from "../../format.ts";
import { useTexts } from "../../text/i18n.ts";
import { Badge } from "../../ui/badge.tsx";
import { FailureBox, SkeletonRows } from "../../ui/states.tsx";
import { type Channel, type Incident, subjectText, thresholdText, valueText } from "./alert-words.ts";
import { SeverityBadge } from "./severity-badge.tsx";
import { Told } from "./told.tsx";

/** What is wrong now, each with its value and who was notified. */
export function OpenIncidents({ channels, hasRules }: { channels: readonly Channel[]; hasRules: boolean }) {
  const { t } = useTexts();
  const { data, error, dataUpdatedAt, refetch } = useQuery(api.alerts.open.queryOptions());
  return (
    <section aria-labelledby="alerts-open" className="flex flex-col gap-3">
      <h2 id="alerts-open" className="text-base font-semibold">
        {t("alerts.open")}
      </h2>
      {error && <FailureBox error={error} asOfMs={dataUpdatedAt} onRetry={() => void refetch()} />}
      {!data && !error && <SkeletonRows rows={1} className="rounded-xl border border-line bg-surface" />}
      {data?.length === 0 && (
        <p className="flex items-center gap-2 text-sm text-ink-2">
          {hasRules && <ShieldCheck aria-hidden="true" className="size-4 text-ok" />}
          {t(hasRules ? "alerts.none" : "alerts.noRules")}
        </p>
      )}
      {data && data.length > 0 && (
        <ul aria-labelledby="alerts-open" className="divide-y divide-line overflow-hidden rounded-xl border border-bad/35 bg-surface">
          {data.map((incident) => (
            <OpenIncident key={incident.id} incident={incident} channels={channels} />
          ))}
        </ul>
      )}
    </section>
  );
}

function OpenIncident({ incident, channels }: { incident: Incident; channels: readonly Channel[] }) {
  const { t, language } = useTexts();
  const names = useNames();
  const { kind, ruleName, severity, subject, value, threshold, firedAtMs, clearSinceMs, deliveries } = incident;
  const about = subjectText(names, subject);
  const shown = valueText(kind, value, language);
  const limit = thresholdText(kind, threshold, language);
  return (
    <li className="flex flex-wrap items-start gap-x-4 gap-y-2 px-5 py-3">
      <span className="w-24 shrink-0">
        <SeverityBadge severity={severity} />
      </span>
      <div className="min-w-48 flex-1">
        <p className="text-sm font-medium [overflow-wrap:anywhere]">
          {ruleName}
          {about && <span className="font-normal text-ink-2"> · {about}</span>}
        </p>
        <p className="text-xs text-ink-2">
          {t(`alerts.kind.${kind}`)}
          {shown !== null && limit !== null && `: ${t("alerts.now", { value: shown, threshold: limit })}`}
        </p>
        <p className="text-xs text-ink-3">
          <time dateTime={new Date(firedAtMs).toISOString()}>{t("alerts.since", { time: formatDateTime(firedAtMs, language) })}</time>
        </p>
      </div>
      {clearSinceMs !== null && <Badge tone="ok">{t("alerts.recovering")}</Badge>}
      <div className="max-w-80 min-w-0">
        <Told deliveries={deliveries} channels={channels} />
      </div>
    </li>
  );
}
