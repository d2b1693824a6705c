import type { Measured } from "@sluice/core/routing/strategies";
import { formatCost, formatDuration } from "../format.ts";
import type { Translate } from "../text/translator.ts";

/** What a strategy considered about a provider, in words. */
export function sawText(t: Translate, { inFlight, ttftMs, costNanoUsd }: Measured): string {
  const parts = [
    inFlight === undefined ? "" : t("detail.saw.inFlight", { count: inFlight }),
    ttftMs === undefined ? "" : ttftMs === null ? t("detail.saw.ttftUnknown") : t("detail.saw.ttft", { time: formatDuration(ttftMs) }),
    costNanoUsd === undefined || costNanoUsd === null ? "" : t("detail.saw.cost", { cost: formatCost(String(Math.round(costNanoUsd))) }),
  ];
  return parts.filter(Boolean).join(" · ");
}
