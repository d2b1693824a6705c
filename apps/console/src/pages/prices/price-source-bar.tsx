import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CircleAlert, RefreshCw } from "lucide-react";
import { api, type Outputs, queryClient } from "../../api/client.ts";
import { formatDateTime } from "../../format.ts";
import { useTexts } from "../../text/i18n.ts";
import { Button } from "../../ui/button.tsx";
import { FailureBox } from "../../ui/states.tsx";
import { toastDone } from "../../ui/toast.tsx";
import { useToastFailure } from "../../ui/use-toast-failure.ts";

type Source = Outputs["prices"]["source"];

/** The source of list prices, how current they are, and a button to update them. */
export function PriceSourceBar() {
  const { t, language } = useTexts();
  const toastFailure = useToastFailure();
  const options = api.prices.source.queryOptions();
  const { data, error, refetch } = useQuery(options);
  const refresh = useMutation(
    api.prices.refresh.mutationOptions({
      onSuccess({ ok, created, changed, source }) {
        queryClient.setQueryData(options.queryKey, source);
        if (ok) toastDone(t("prices.refreshed", { created, changed }));
      },
      onError: toastFailure,
    }),
  );
  if (error) return <FailureBox error={error} onRetry={() => void refetch()} />;
  return (
    <section aria-label={t("prices.refreshSource")} className="flex flex-col gap-3 rounded-xl border border-line bg-surface px-4 py-3">
      <div className="flex flex-wrap items-center gap-x-6 gap-y-2 text-sm">
        <p className="min-w-0 flex-1 basis-64">
          <span className="text-ink-3">{t("prices.refreshSource")}</span>{" "}
          <span className="break-all">{data ? data.url || t("prices.shippedTable") : ""}</span>{" "}
          <Link to="/settings" className="whitespace-nowrap text-xs text-accent-ink hover:underline">
            {t("prices.changeSource")}
          </Link>
        </p>
        <p className="text-xs tabular-nums text-ink-3">
          {data?.refreshed
            ? `${t("prices.refreshedAt", { time: formatDateTime(data.refreshed.atMs, language) })} · ${t("prices.version", { version: data.refreshed.version.replace(/^shipped /, "") })}`
            : data && t("prices.neverRefreshed")}
        </p>
        <Button busy={refresh.isPending} disabled={!data} onClick={() => refresh.mutate()}>
          {!refresh.isPending && <RefreshCw aria-hidden="true" />}
          {t("prices.refresh")}
        </Button>
      </div>
      {data?.failure && <SourceFailure failure={data.failure} />}
    </section>
  );
}

function SourceFailure({ failure }: { failure: NonNullable<Source["failure"]> }) {
  const { t, language } = useTexts();
  return (
    <div role="alert" className="flex items-start gap-2.5 rounded-lg bg-warn-soft px-3 py-2 text-sm">
      <CircleAlert aria-hidden="true" className="mt-0.5 size-4 shrink-0 text-warn" />
      <p>
        {t("prices.sourceFailed")} {t(`prices.failure.${failure.reason}`, { status: failure.status ?? "" })}{" "}
        <span className="text-xs text-ink-3">{formatDateTime(failure.atMs, language)}</span>
      </p>
    </div>
  );
}
