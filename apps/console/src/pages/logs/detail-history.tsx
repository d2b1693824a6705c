import type { CostCorrection, CostHistory, PriceVersion, RequestRow } from "@sluice/core/requests";
import type { NameLookup } from "../../api/names.ts";
import { exactCost, formatCost, formatDateTime } from "../../format.ts";
import { useTexts } from "../../text/i18n.ts";
import { Section } from "./detail-section.tsx";

interface HistoryProps {
  row: RequestRow;
  history: CostHistory;
  names: NameLookup;
}

/** The original cost of the request, each correction with its reason, and the result. */
export function CostHistoryView({ row, history: { originalNanoUsd, corrections }, names }: HistoryProps) {
  const { t } = useTexts();
  return (
    <Section title={t("detail.corrections.title")} note={t("detail.corrections.count", { count: corrections.length })}>
      <dl className="divide-y divide-line">
        <Line name={t("detail.corrections.original")} nanoUsd={originalNanoUsd} />
        {corrections.map((correction) => (
          <Line key={correction.id} name={<Cause correction={correction} names={names} />} nanoUsd={correction.differenceNanoUsd} signed />
        ))}
        <Line name={t("detail.corrections.net")} nanoUsd={row.costNanoUsd} strong />
      </dl>
    </Section>
  );
}

interface LineProps {
  name: React.ReactNode;
  nanoUsd: string | null;
  signed?: boolean;
  strong?: boolean;
}

function Line({ name, nanoUsd, signed = false, strong = false }: LineProps) {
  const { t } = useTexts();
  const plus = signed && nanoUsd !== null && !nanoUsd.startsWith("-") && nanoUsd !== "0" ? "+" : "";
  return (
    <div className={`flex items-start justify-between gap-4 py-1.5 text-sm ${strong ? "font-semibold" : ""}`}>
      <dt className={`min-w-0 ${strong ? "" : "text-ink-2"}`}>{name}</dt>
      <dd className="shrink-0 tabular-nums" title={nanoUsd === null ? undefined : exactCost(nanoUsd)}>
        {nanoUsd === null ? t("detail.corrections.noPrice") : plus + formatCost(nanoUsd)}
      </dd>
    </div>
  );
}

function Cause({ correction: { cause, fromPrice, toPrice }, names }: { correction: CostCorrection; names: NameLookup }) {
  const { t, language } = useTexts();
  if (!cause) return <>{t("detail.corrections.causeGone")}</>;
  const who = cause.actorId && names.user(cause.actorId);
  return (
    <>
      <span className="block">
        {t(`detail.corrections.${cause.reason}`)}
        {who && ` · ${who}`}
      </span>
      <time dateTime={new Date(cause.atMs).toISOString()} className="block text-xs text-ink-3">
        {formatDateTime(cause.atMs, language)}
      </time>
      {toPrice && (
        <span className="block text-xs text-ink-3">
          <Version price={fromPrice} /> → <Version price={toPrice} />
        </span>
      )}
    </>
  );
}

function Version({ price }: { price: PriceVersion | null }) {
  const { t, language } = useTexts();
  if (!price) return <>{t("detail.corrections.noPrice")}</>;
  const since = t("detail.corrections.version", { time: formatDateTime(price.createdAtMs, language) });
  return (
    <span title={since}>
      ${price.inputPerMTok} / ${price.outputPerMTok}
    </span>
  );
}
