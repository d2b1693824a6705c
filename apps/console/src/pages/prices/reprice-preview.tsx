import type { Outputs } from "../../api/client.ts";
import { exactCost, formatCost, formatExact } from "../../format.ts";
import { useTexts } from "../../text/i18n.ts";

/** The current cost of the requests, the cost after repricing, and the difference. */
export function RepricePreview({ preview }: { preview: Outputs["prices"]["previewReprice"] }) {
  const { t, language } = useTexts();
  const { requests, changed, nowNanoUsd, thenNanoUsd, complete } = preview;
  const difference = (BigInt(thenNanoUsd) - BigInt(nowNanoUsd)).toString();
  const figures = [
    { name: "requests", text: formatExact(requests, language), title: undefined },
    { name: "changed", text: formatExact(changed, language), title: undefined },
    { name: "costNow", text: formatCost(nowNanoUsd), title: exactCost(nowNanoUsd) },
    { name: "costThen", text: formatCost(thenNanoUsd), title: exactCost(thenNanoUsd) },
    { name: "difference", text: signedCost(difference), title: exactCost(difference) },
  ] as const;
  return (
    <section aria-label={t("prices.preview")} className="rounded-lg border border-line bg-sunken px-4 py-2">
      <dl className="divide-y divide-line text-sm">
        {figures.map(({ name, text, title }) => (
          <div key={name} className="flex min-h-8 items-center justify-between gap-4 last:font-semibold">
            <dt className="text-ink-2">{t(`prices.reprice.${name}`)}</dt>
            <dd className="tabular-nums" title={title}>
              {text}
            </dd>
          </div>
        ))}
      </dl>
      {!complete && (
        <p className="py-1.5 text-xs text-warn">{t("prices.reprice.incomplete", { shown: formatExact(requests, language) })}</p>
      )}
    </section>
  );
}

/** The amount with its sign, even a positive one. */
export function signedCost(nanoUsd: string): string {
  return nanoUsd.startsWith("-") || nanoUsd === "0" ? formatCost(nanoUsd) : `+${formatCost(nanoUsd)}`;
}
