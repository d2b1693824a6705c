import type { Attempt, Decision, RequestRow } from "@sluice/core/requests";
import { Check, CircleX, LogOut, Turtle } from "lucide-react";
import type { NameLookup } from "../../api/names.ts";
import { formatCost, formatDuration } from "../../format.ts";
import { useReasonText } from "../../providers/reason-text.ts";
import { routingRuleOutcome } from "../../providers/routing-rule-text.ts";
import { sawText } from "../../providers/saw-text.ts";
import { useTexts } from "../../text/i18n.ts";
import { cn } from "../../ui/class-names.ts";
import { Section } from "./detail-section.tsx";

interface DecisionProps {
  decision: Decision;
  attempts: readonly Attempt[];
  names: NameLookup;
}

/** Why this provider was chosen, and why not the others. */
export function DecisionView({ decision, attempts, names }: DecisionProps) {
  const { t } = useTexts();
  const reasonText = useReasonText();
  const { candidates, excluded, chosenBy, failedBackFrom, rule } = decision;
  const tried = new Map(attempts.map((attempt) => [attempt.providerId, attempt.outcome]));
  return (
    <Section title={t("detail.decision")} note={t(`detail.by.${chosenBy}`)}>
      {rule && (
        <p className="py-1.5 text-sm text-ink-2 [overflow-wrap:anywhere]">
          {t("detail.rule", { name: rule.name })}: {routingRuleOutcome(t, rule)}
        </p>
      )}
      {failedBackFrom && <p className="py-1 text-xs text-ink-2">{t("detail.failedBack", { name: names.provider(failedBackFrom) })}</p>}
      {candidates.length === 0 && <p className="py-2 text-sm text-ink-2">{t("detail.noCandidates")}</p>}
      <ol className="divide-y divide-line">
        {candidates.map(({ providerId, priority, weight, converted, saw }, index) => {
          const outcome = tried.get(providerId);
          return (
            <li key={providerId} className="flex min-h-9 items-center gap-2.5 py-1 text-sm">
              <span className={cn("flex size-5 shrink-0 items-center justify-center rounded-full text-2xs font-semibold", mark(outcome))}>
                {index + 1}
              </span>
              <span className="min-w-0 flex-1">
                <span className="block truncate font-medium">{names.provider(providerId)}</span>
                {converted && <span className="block text-xs text-ink-3">{t("detail.converted", { pair: converted })}</span>}
                {saw && <span className="block text-xs text-ink-3">{sawText(t, saw)}</span>}
              </span>
              <span className="text-xs text-ink-3">{t("detail.candidateMeta", { priority, weight })}</span>
            </li>
          );
        })}
      </ol>
      {excluded.length > 0 && (
        <>
          <h4 className="pt-2 pb-0.5 text-xs font-medium text-ink-3">{t("detail.excluded")}</h4>
          <ul>
            {excluded.map((exclusion) => (
              <li key={`${exclusion.providerId}:${exclusion.reason}`} className="flex min-h-7 items-center justify-between gap-3 text-xs">
                <span className="truncate text-ink-2">{names.provider(exclusion.providerId)}</span>
                <span className="shrink-0 text-ink-3">{reasonText(exclusion)}</span>
              </li>
            ))}
          </ul>
        </>
      )}
    </Section>
  );
}

function mark(outcome: Attempt["outcome"] | undefined): string {
  if (outcome === "ok") return "bg-ok-soft text-ok";
  if (outcome === "failed") return "bg-bad-soft text-bad";
  return "bg-idle-soft text-idle";
}

interface TimelineProps {
  row: RequestRow;
  attempts: readonly Attempt[];
  names: NameLookup;
  admin: boolean;
}

const outcomes = {
  ok: { icon: Check, tone: "text-ok", wait: "bg-ok/30", run: "bg-ok" },
  failed: { icon: CircleX, tone: "text-bad", wait: "bg-bad/30", run: "bg-bad" },
  aborted: { icon: LogOut, tone: "text-idle", wait: "bg-idle/30", run: "bg-idle" },
  hedge_lost: { icon: Turtle, tone: "text-idle", wait: "bg-idle/30", run: "bg-idle" },
} as const;

/** Each attempt as a bar on a common time axis: pale until its first content, then solid. */
export function AttemptTimeline({ row, attempts, names, admin }: TimelineProps) {
  const { t } = useTexts();
  const span = Math.max(row.durationMs ?? 0, ...attempts.map(({ endedMs }) => endedMs), 1);
  const percent = (ms: number): string => `${Math.min(100, Math.max(0, (ms / span) * 100))}%`;
  return (
    <Section title={t("detail.attempts")} note={formatDuration(span)}>
      <ol className="flex flex-col gap-3 pt-1.5">
        {attempts.map((attempt, index) => {
          const { icon: Icon, tone, wait, run } = outcomes[attempt.outcome];
          const first = attempt.firstContentMs ?? attempt.endedMs;
          const times = t("detail.attemptTimes", {
            start: formatDuration(attempt.startedMs),
            first: formatDuration(attempt.firstContentMs),
            end: formatDuration(attempt.endedMs),
          });
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: attempts have no identity but their order
            <li key={index}>
              <div className="flex items-center gap-1.5 text-sm">
                <Icon aria-hidden="true" className={cn("size-3.5 shrink-0", tone)} />
                <span className="min-w-0 truncate font-medium">
                  {admin && attempt.providerId ? names.provider(attempt.providerId) : t("detail.attempt", { number: index + 1 })}
                </span>
                <span className={cn("text-xs", tone)}>{t(`detail.attemptOutcome.${attempt.outcome}`)}</span>
                <span className="ml-auto shrink-0 text-xs text-ink-3">{attempt.status ?? t("detail.noHead")}</span>
              </div>
              <div role="img" aria-label={times} title={times} className="relative mt-1.5 h-2 rounded-full bg-idle-soft">
                <span
                  className={cn("absolute inset-y-0 rounded-l-full", wait)}
                  style={{ left: percent(attempt.startedMs), width: percent(first - attempt.startedMs) }}
                />
                <span
                  className={cn("absolute inset-y-0 min-w-0.5 rounded-r-full", run)}
                  style={{ left: percent(first), width: percent(attempt.endedMs - first) }}
                />
              </div>
              <p className="mt-1 flex flex-wrap gap-x-3 text-xs text-ink-3">
                {attempt.upstreamModel && attempt.upstreamModel !== row.model && (
                  <span>
                    {t("detail.upstreamModel")} <span className="text-ink-2">{attempt.upstreamModel}</span>
                  </span>
                )}
                {admin && attempt.credential !== undefined && <span>{t("detail.credential", { label: attempt.credential })}</span>}
                {attempt.converted && <span>{t("detail.converted", { pair: attempt.converted })}</span>}
                {attempt.dropped && (
                  <span className="[overflow-wrap:anywhere]">{t("detail.dropped", { fields: attempt.dropped.join(", ") })}</span>
                )}
                {attempt.rule && (
                  <span className="text-ink-2">
                    {t("detail.rule", { name: attempt.rule.name })}: {t(`settings.rules.action.${attempt.rule.action}`)}
                  </span>
                )}
                {attempt.errorCode && <span className="text-bad">{t(`errors.${attempt.errorCode}` as "errors.internal")}</span>}
                {admin && attempt.upstreamCostNanoUsd !== "0" && (
                  <span>
                    {t("detail.upstreamCost")} {formatCost(attempt.upstreamCostNanoUsd)}
                  </span>
                )}
              </p>
            </li>
          );
        })}
      </ol>
    </Section>
  );
}
