import { useQuery } from "@tanstack/react-query";
import { api } from "../api/client.ts";
import { useTexts } from "../text/i18n.ts";

/** Number of open incidents in the navigation: read once, then again after a push. Nothing when there are none. */
export function OpenAlerts({ dot = false }: { dot?: boolean }) {
  const { t } = useTexts();
  const count = useQuery(api.alerts.open.queryOptions()).data?.length ?? 0;
  if (count === 0) return null;
  if (dot)
    return (
      <span className="absolute -top-0.5 -right-1 size-2 rounded-full bg-bad">
        <span className="sr-only">{t("alerts.badge", { count })}</span>
      </span>
    );
  return (
    <span
      title={t("alerts.badge", { count })}
      className="ml-auto flex h-4.5 min-w-4.5 items-center justify-center rounded-full bg-bad-soft px-1.5 text-2xs font-semibold text-bad tabular-nums"
    >
      <span aria-hidden="true">{count}</span>
      <span className="sr-only">{t("alerts.badge", { count })}</span>
    </span>
  );
}
