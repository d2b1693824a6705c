import { CircleCheck, CircleX } from "lucide-react";
import type { Outputs } from "../../api/client.ts";
import type { NameLookup } from "../../api/names.ts";
import { formatPercent } from "../../format.ts";
import { useReasonText } from "../../providers/reason-text.ts";
import { routingRuleOutcome } from "../../providers/routing-rule-text.ts";
import { sawText } from "../../providers/saw-text.ts";
import { useTexts } from "../../text/i18n.ts";

type Simulation = Outputs["providers"]["simulate"];

/** Exclusions that are expected: the provider is not meant for such requests. */
const elsewhere = new Set(["group", "dialect"]);

/** Where the request would go, and why not to the others. */
export function SimulatorAnswer({ result, names }: { result: Simulation; names: NameLookup }) {
  const { t } = useTexts();
  const reasonText = useReasonText();
  const telling = result.excluded.filter(({ reason }) => !elsewhere.has(reason));
  const others = result.excluded.length - telling.length;
  return (
    <section aria-label={t("providers.sim.result")} className="flex flex-col gap-3 border-t border-line pt-4">
      <Headline result={result} names={names} />
      {result.rule && (
        <p className="text-sm text-ink-2 [overflow-wrap:anywhere]">
          {t("detail.rule", { name: result.rule.name })}: {routingRuleOutcome(t, result.rule)}
        </p>
      )}
      {result.candidates.length > 0 && (
        <div>
          <h3 className="mb-1 text-xs font-medium text-ink-3">{t("providers.sim.candidates")}</h3>
          <ol className="flex flex-col divide-y divide-line rounded-lg border border-line">
            {result.candidates.map((candidate, index) => (
              <Candidate key={candidate.providerId} candidate={candidate} place={index + 1} name={names.provider(candidate.providerId)} />
            ))}
          </ol>
        </div>
      )}
      {(telling.length > 0 || others > 0) && (
        <div>
          <h3 className="mb-1 text-xs font-medium text-ink-3">{t("providers.sim.excluded")}</h3>
          <ul className="flex flex-col gap-0.5 text-sm">
            {telling.map((exclusion) => (
              <li key={exclusion.providerId} className="flex justify-between gap-4">
                <span className="truncate">{names.provider(exclusion.providerId)}</span>
                <span className="text-right text-ink-2">{reasonText(exclusion)}</span>
              </li>
            ))}
            {others > 0 && <li className="text-xs text-ink-3">{t("providers.sim.elsewhere", { count: others })}</li>}
            {result.excludedMore > 0 && <li className="text-xs text-ink-3">{t("providers.sim.more", { count: result.excludedMore })}</li>}
          </ul>
        </div>
      )}
    </section>
  );
}

function Headline({ result, names }: { result: Simulation; names: NameLookup }) {
  const { t } = useTexts();
  const first = result.candidates[0];
  const name = first ? names.provider(first.providerId) : "";
  const tied = result.candidates.filter(({ share }) => share > 0).length;
  const text =
    result.refusal !== null
      ? t("providers.sim.refused", { why: t(`errors.${result.refusal}` as "errors.no_provider") })
      : result.chosenBy === "sticky"
        ? t("providers.sim.sticky", { name })
        : tied > 1
          ? t("providers.sim.weighted", { count: tied, name })
          : t("providers.sim.first", { name });
  const Icon = result.refusal === null ? CircleCheck : CircleX;
  return (
    <p className={`flex items-start gap-1.5 text-sm font-medium ${result.refusal === null ? "text-ok" : "text-bad"}`}>
      <Icon aria-hidden="true" className="mt-0.5 size-4 shrink-0" />
      {text}
    </p>
  );
}

function Candidate({ candidate, place, name }: { candidate: Simulation["candidates"][number]; place: number; name: string }) {
  const { t } = useTexts();
  const { priority, weight, share, breaker } = candidate;
  const notes = [
    t("providers.priorityShort", { priority }),
    t("providers.weightShort", { weight }),
    t("providers.sim.sends", { model: candidate.upstreamModel }),
    ...(candidate.converted ? [t("detail.converted", { pair: candidate.converted })] : []),
    ...(candidate.saw ? [sawText(t, candidate.saw)] : []),
    ...(breaker === "probe" ? [t("providers.sim.asProbe")] : breaker === "open" ? [t("providers.sim.ignored")] : []),
  ];
  return (
    <li className="flex items-center gap-3 px-3 py-2 text-sm">
      <span className="w-4 shrink-0 text-right text-xs text-ink-3 tabular-nums">{place}</span>
      <span className="min-w-0 flex-1">
        <span className="block truncate font-medium">{name}</span>
        <span className="block text-xs text-ink-3 [overflow-wrap:anywhere]">{notes.join(" · ")}</span>
      </span>
      <span className="shrink-0 text-xs text-ink-2 tabular-nums">
        {share > 0 ? t("providers.sim.share", { share: formatPercent(share, 1) }) : t("providers.sim.next")}
      </span>
    </li>
  );
}
