import { CircleAlert, CircleCheck, TriangleAlert, Infinity as Unlimited } from "lucide-react";
import type { Outputs } from "../api/client.ts";
import { useTexts } from "../text/i18n.ts";
import { Badge } from "../ui/badge.tsx";

export type Account = Outputs["credits"]["account"];

/** A balance below this ($1) is shown as low. */
const LOW_NANO_USD = 1_000_000_000n;

/** Whether requests can still be paid for, in one word. */
export function CreditState({ account: { billing, availableNanoUsd } }: { account: Pick<Account, "billing" | "availableNanoUsd"> }) {
  const { t } = useTexts();
  if (billing === "postpaid") {
    return (
      <Badge tone="idle">
        <Unlimited aria-hidden="true" />
        {t("credits.billing.postpaid")}
      </Badge>
    );
  }
  const available = BigInt(availableNanoUsd);
  if (available <= 0n) {
    return (
      <Badge tone="bad">
        <CircleAlert aria-hidden="true" />
        {t("credits.empty")}
      </Badge>
    );
  }
  const low = available < LOW_NANO_USD;
  return (
    <Badge tone={low ? "warn" : "ok"}>
      {low ? <TriangleAlert aria-hidden="true" /> : <CircleCheck aria-hidden="true" />}
      {low ? t("credits.low") : t(`credits.billing.${billing}`)}
    </Badge>
  );
}
