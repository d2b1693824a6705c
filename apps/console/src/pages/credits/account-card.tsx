import { type Account, CreditState } from "../../credits/credit-state.tsx";
import { exactCost, formatCost } from "../../format.ts";
import { useTexts } from "../../text/i18n.ts";

/** A user's balance, and how much of it is available. */
export function AccountCard({ account }: { account: Account }) {
  const { t } = useTexts();
  const figures = [
    ["balance", account.balanceNanoUsd],
    ["held", account.heldNanoUsd],
    ["available", account.availableNanoUsd],
    ["floor", account.floorNanoUsd],
    ["postpaid", account.postpaidNanoUsd],
  ] as const;
  return (
    <section
      aria-label={t("credits.account")}
      className="flex flex-wrap items-center gap-x-8 gap-y-4 rounded-xl border border-line bg-surface p-4"
    >
      <CreditState account={account} />
      <dl className="flex flex-wrap gap-x-8 gap-y-3">
        {figures.map(([name, nano]) => (
          <div key={name} title={t(`credits.${name}Hint`)}>
            <dt className="text-xs text-ink-3">{t(`credits.${name}`)}</dt>
            <dd className={name === "balance" ? "font-semibold text-lg tabular-nums" : "tabular-nums"} title={exactCost(nano)}>
              {formatCost(nano)}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
