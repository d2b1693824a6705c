import { useQuery } from "@tanstack/react-query";
import { api } from "../../api/client.ts";
import { formatDateTime } from "../../format.ts";
import { useTexts } from "../../text/i18n.ts";
import { Badge } from "../../ui/badge.tsx";
import { Dialog, DialogBody } from "../../ui/dialog.tsx";
import { DiffList } from "../../ui/diff-list.tsx";
import { FailureBox, SkeletonRows } from "../../ui/states.tsx";
import { amountFields, type Price, priceDifferences, priceSourceText } from "./price-text.ts";

/** Every version of a model's price, with its changes. */
export function PriceHistoryDialog({ model, onClose }: { model: string; onClose(): void }) {
  const { t, language } = useTexts();
  const { data, error, refetch } = useQuery(api.prices.history.queryOptions({ model }));
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t("prices.historyOf", { model })}
      description={t("prices.historyText")}
      width="max-w-xl"
    >
      <DialogBody className="pb-5">
        {error && <FailureBox error={error} onRetry={() => void refetch()} />}
        {!data && !error && <SkeletonRows rows={3} />}
        <ol className="flex flex-col gap-5">
          {data?.map((price, at) => (
            <li key={price.id} className="flex flex-col gap-2">
              <p className="flex flex-wrap items-center gap-2 text-sm">
                <time dateTime={new Date(price.createdAtMs).toISOString()} className="font-medium tabular-nums">
                  {formatDateTime(price.createdAtMs, language)}
                </time>
                <span className="text-xs text-ink-3">{priceSourceText(t, price.source)}</span>
                {at === 0 && <Badge tone="ok">{t("prices.inForce")}</Badge>}
                {at === data.length - 1 && <Badge>{t("prices.firstVersion")}</Badge>}
              </p>
              <Version price={price} before={data[at + 1]} />
            </li>
          ))}
        </ol>
      </DialogBody>
    </Dialog>
  );
}

function Version({ price, before }: { price: Price; before: Price | undefined }) {
  const { t } = useTexts();
  if (before) return <DiffList label={t("audit.changes")} differences={priceDifferences(t, before, price)} />;
  return (
    <p className="text-sm tabular-nums text-ink-2">
      {amountFields
        .filter(([, field]) => price[field] !== null)
        .map(([name, field]) => `${t(`prices.${name}`)} $${price[field]}`)
        .join(" · ")}
    </p>
  );
}
