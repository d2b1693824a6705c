import { useQuery } from "@tanstack/react-query";
import { api, type Outputs } from "../../api/client.ts";
import { formatPercent } from "../../format.ts";
import { useTexts } from "../../text/i18n.ts";

type Impact = Outputs["providers"]["impact"];

/** Whether anybody would be affected. */
export function hasImpact(impact: Impact): boolean {
  return impact.providers.some(({ sessions, inFlight, requests }) => sessions + inFlight + requests > 0);
}

/** Describes who would be affected if these providers got no more requests; empty while loading. */
export function useImpactText(ids: readonly string[]): string {
  const { t } = useTexts();
  const { data } = useQuery({
    ...api.providers.impact.queryOptions({ ids: [...ids] }),
    enabled: ids.length > 0,
    staleTime: 0,
    gcTime: 0,
  });
  if (!data) return "";
  const sum = (figure: "sessions" | "inFlight" | "requests"): number => data.providers.reduce((total, one) => total + one[figure], 0);
  if (!hasImpact(data)) return t("providers.impact.nothing");
  const [sessions, inFlight, requests] = [sum("sessions"), sum("inFlight"), sum("requests")];
  return [
    ...(sessions > 0 ? [t("providers.impact.sessions", { count: sessions })] : []),
    ...(requests > 0 ? [t("providers.impact.share", { share: formatPercent(requests, data.requests) })] : []),
    ...(inFlight > 0 ? [t("providers.impact.inFlight", { count: inFlight })] : []),
  ].join(" · ");
}
