import { useTexts } from "../../text/i18n.ts";
import { ScrollRegion } from "../../ui/scroll-region.tsx";
import { type Difference, shownField } from "./batch-change.ts";

const labels = {
  enabled: "providers.enabled",
  priority: "providers.priority",
  weight: "providers.weight",
  groups: "providers.groups",
  costMultiplier: "providers.multiplier",
} as const;

/** Each field that changes, with its current and its new value. */
export function BatchPreview({ differences }: { differences: readonly Difference[] }) {
  const { t } = useTexts();
  const words = { on: t("common.enabled"), off: t("common.disabled") };
  const lines = differences.flatMap(({ provider, before, after }) =>
    (Object.keys(labels) as (keyof typeof labels)[])
      .filter((field) => after[field] !== undefined)
      .map((field) => ({ provider, field, before: shownField(before[field], words), after: shownField(after[field], words) })),
  );
  return (
    <section className="flex min-h-0 flex-col gap-1.5">
      <h3 className="text-sm font-semibold">{t("providers.batch.preview")}</h3>
      {lines.length === 0 ? (
        <p className="text-sm text-ink-3">{t("providers.batch.nothing")}</p>
      ) : (
        <ScrollRegion label={t("providers.batch.preview")} className="max-h-64 overflow-auto rounded-lg border border-line">
          <table className="w-full border-collapse text-sm">
            <thead>
              <tr className="border-b border-line text-left text-xs text-ink-3">
                {[t("providers.name"), t("providers.batch.field"), t("providers.batch.before"), t("providers.batch.after")].map((head) => (
                  <th key={head} scope="col" className="h-8 px-3 font-medium whitespace-nowrap">
                    {head}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {lines.map(({ provider, field, before, after }) => (
                <tr key={`${provider.id} ${field}`} className="border-b border-line last:border-b-0">
                  <td className="max-w-40 truncate px-3 py-1.5">{provider.name}</td>
                  <td className="px-3 py-1.5 whitespace-nowrap text-ink-2">{t(labels[field])}</td>
                  <td className="px-3 py-1.5 text-ink-3 tabular-nums">{before}</td>
                  <td className="px-3 py-1.5 font-medium tabular-nums">{after}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </ScrollRegion>
      )}
    </section>
  );
}
