import type { Exclusion } from "@sluice/core/requests";
import { formatDateTime } from "../format.ts";
import { useTexts } from "../text/i18n.ts";

/** Why a provider was not a candidate, in words; outside its schedule also when it opens again. */
export function useReasonText(): (exclusion: Pick<Exclusion, "reason" | "opensAtMs">) => string {
  const { t, language } = useTexts();
  return ({ reason, opensAtMs }) =>
    opensAtMs === undefined ? t(`reasons.${reason}`) : t("providers.opensAt", { time: formatDateTime(opensAtMs, language) });
}
