import { useQuery } from "@tanstack/react-query";
import { api } from "../../api/client.ts";
import { LiveIndicator } from "../../shell/live-indicator.tsx";
import { useTexts } from "../../text/i18n.ts";
import { Page } from "../../ui/page.tsx";
import { FailureBox, SkeletonRows } from "../../ui/states.tsx";
import { AlertChannels } from "./alert-channels.tsx";
import { AlertRules } from "./alert-rules.tsx";
import { OpenIncidents } from "./open-incidents.tsx";
import { PastIncidents } from "./past-incidents.tsx";

/** Open incidents, rules, channels and past incidents; updated by push. */
export function AlertsPage() {
  const { t } = useTexts();
  const rules = useQuery(api.alerts.rules.queryOptions());
  const channels = useQuery(api.alerts.channels.queryOptions());
  const error = rules.error ?? channels.error;
  const retry = (): void => {
    void rules.refetch();
    void channels.refetch();
  };
  return (
    <Page title={t("alerts.title")} state={<LiveIndicator />} lead={t("alerts.lead")} className="max-w-5xl gap-7">
      <OpenIncidents channels={channels.data ?? []} hasRules={(rules.data?.length ?? 0) > 0} />
      {error && <FailureBox error={error} asOfMs={rules.dataUpdatedAt} onRetry={retry} />}
      {!(rules.data && channels.data) && !error && <SkeletonRows rows={4} className="rounded-xl border border-line bg-surface" />}
      {rules.data && channels.data && (
        <>
          <AlertRules rules={rules.data} channels={channels.data} />
          <AlertChannels channels={channels.data} />
        </>
      )}
      <PastIncidents channels={channels.data ?? []} />
    </Page>
  );
}
