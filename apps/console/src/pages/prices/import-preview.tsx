import { type ReactNode, useState } from "react";
import type { Outputs } from "../../api/client.ts";
import { useTexts } from "../../text/i18n.ts";
import { Button } from "../../ui/button.tsx";
import { DiffList } from "../../ui/diff-list.tsx";
import { amountFields, type PriceAmounts, priceDifferences } from "./price-text.ts";

type Preview = Outputs["prices"]["import"];

const SHOWN_AT_FIRST = 30;

/** What a price table would change, and what it would not and why. */
export function ImportPreview({ preview }: { preview: Preview }) {
  const { t } = useTexts();
  const { changed, created, kept, unchanged, skipped } = preview;
  const skips = skipped.reduce((sum, { count }) => sum + count, 0);
  return (
    <div className="flex flex-col gap-5">
      <p className="text-sm text-ink-2">
        {[
          t("prices.changed", { count: changed.length }),
          t("prices.created", { count: created.length }),
          kept.length > 0 && t("prices.kept", { count: kept.length }),
          t("prices.unchanged", { count: unchanged }),
          skips > 0 && t("prices.skipped", { count: skips }),
        ]
          .filter(Boolean)
          .join(" · ")}
      </p>
      <Part title={t("prices.changed", { count: changed.length })} items={changed} keyOf={({ after }) => after.model}>
        {({ before, after }) => <DiffList label={after.model} differences={priceDifferences(t, before, after)} />}
      </Part>
      <Part title={t("prices.created", { count: created.length })} items={created} keyOf={({ model }) => model}>
        {(price) => <Amounts price={price} />}
      </Part>
      <Part title={t("prices.kept", { count: kept.length })} items={kept} keyOf={({ after }) => after.model}>
        {({ before, after }) => <DiffList label={after.model} differences={priceDifferences(t, before, after)} />}
      </Part>
      {skips > 0 && (
        <section className="flex flex-col gap-2">
          <h3 className="text-sm font-semibold">{t("prices.skipped", { count: skips })}</h3>
          <ul className="flex flex-col gap-1.5 text-sm">
            {skipped.map(({ reason, count, names }) => (
              <li key={reason}>
                <span className="tabular-nums">{count}</span> {t(`prices.skip.${reason}`)}{" "}
                <span className="break-words font-mono text-xs text-ink-3">
                  {names.join(", ")} {count > names.length && t("prices.andMore", { count: count - names.length })}
                </span>
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}

interface PartProps<T> {
  title: string;
  items: readonly T[];
  keyOf(item: T): string;
  children(item: T): ReactNode;
}

function Part<T>({ title, items, keyOf, children }: PartProps<T>) {
  const { t } = useTexts();
  const [all, setAll] = useState(false);
  if (items.length === 0) return null;
  const shown = all ? items : items.slice(0, SHOWN_AT_FIRST);
  return (
    <section className="flex flex-col gap-3">
      <h3 className="text-sm font-semibold">{title}</h3>
      <ul className="flex flex-col gap-3">
        {shown.map((item) => (
          <li key={keyOf(item)} className="flex flex-col gap-1">
            <span className="break-all font-mono text-xs">{keyOf(item)}</span>
            {children(item)}
          </li>
        ))}
      </ul>
      {shown.length < items.length && (
        <Button size="sm" className="self-start" onClick={() => setAll(true)}>
          {t("prices.showMore", { count: items.length - shown.length })}
        </Button>
      )}
    </section>
  );
}

function Amounts({ price }: { price: PriceAmounts }) {
  const { t } = useTexts();
  return (
    <span className="text-xs tabular-nums text-ink-2">
      {amountFields
        .filter(([, field]) => price[field] !== null)
        .map(([name, field]) => `${t(`prices.${name}`)} $${price[field]}`)
        .join(" · ")}
    </span>
  );
}
