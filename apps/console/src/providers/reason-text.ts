import type { Exclusion } from "@sluice/core/requests";
import { useTranslation } from "react-i18next";
import { formatDateTime } from "../format.ts";

/** Why a provider was not a candidate, in words; of one outside its hours also when they begin. */
export function useReasonText(): (exclusion: Pick<Exclusion, "reason" | "opensAtMs">) => string {
  const { t, i18n } = useTranslation();
  return ({ reason, opensAtMs }) =>
    opensAtMs === undefined ? t(`reasons.${reason}`) : t("providers.opensAt", { time: formatDateTime(opensAtMs, i18n.language) });
}
