import { useQuery } from "@tanstack/react-query";
import { Hourglass } from "lucide-react";
import { api } from "../../api/client.ts";
import { formatExact } from "../../format.ts";
import { useTexts } from "../../text/i18n.ts";

const NAMED = 5;

/** Requests without a price, counted up to a limit; nothing when there are none. */
export function UnpricedNote() {
  const { t, language } = useTexts();
  const { data } = useQuery(api.prices.unpriced.queryOptions());
  if (!data || data.length === 0) return null;
  const text = (value: number, more: boolean): string => formatExact(value, language) + (more ? "+" : "");
  const requests = data.reduce((sum, one) => sum + one.requests, 0);
  const shown = text(
    requests,
    data.some(({ more }) => more),
  );
  return (
    <section aria-label={t("prices.waiting")} className="flex items-start gap-2.5 rounded-lg bg-warn-soft px-3 py-2 text-sm">
      <Hourglass aria-hidden="true" className="mt-0.5 size-4 shrink-0 text-warn" />
      <p className="min-w-0">
        {t("prices.waitingText", { count: requests, shown })}{" "}
        <span className="font-mono text-xs break-words">
          {data
            .slice(0, NAMED)
            .map(({ model, requests: of, more }) => `${model} (${text(of, more)})`)
            .join(", ")}
          {data.length > NAMED && ` ${t("prices.andMore", { count: data.length - NAMED })}`}
        </span>
      </p>
    </section>
  );
}
