import { formatUsd } from "@sluice/core/money";
import type { RequestDetail, RequestRow } from "@sluice/core/requests";
import { useMutation } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Camera, Link as LinkIcon, OctagonX, Terminal, Undo2 } from "lucide-react";
import { api } from "../../api/client.ts";
import { serverNow } from "../../live/server-clock.ts";
import { startOf } from "../../ranges/range-search.ts";
import { useTexts } from "../../text/i18n.ts";
import { Button, buttonClass } from "../../ui/button.tsx";
import { useCopy } from "../../ui/copy-button.tsx";
import { toastDone } from "../../ui/toast.tsx";
import { useToastFailure } from "../../ui/use-toast-failure.ts";
import { curlOf } from "./curl.ts";
import type { LogSearch } from "./search.ts";

const appRoute = getRouteApi("/app");

interface DrawerActionsProps {
  row: RequestRow;
  detail: RequestDetail | null;
  search: LogSearch;
  baseUrl: string;
  admin: boolean;
}

/** Copies and links for a request, and the button that cancels it. */
export function DrawerActions({ row, detail, search, baseUrl, admin }: DrawerActionsProps) {
  const { t } = useTexts();
  const toastFailure = useToastFailure();
  const { role } = appRoute.useRouteContext().login.user;
  const cancel = useMutation(
    api.logs.cancel.mutationOptions({
      onSuccess: ({ cancelled }) => cancelled && toastDone(t("detail.cancelled")),
      onError: toastFailure,
    }),
  );
  const copyText = useCopy();
  const copy = (text: string): void => void copyText(text).then((done) => done && toastDone(t("common.copied")));
  return (
    <div role="group" aria-label={t("detail.actions")} className="flex flex-wrap items-center gap-1.5 pb-4">
      <Button size="sm" onClick={() => copy(curlOf(row, detail?.path ?? "", baseUrl))}>
        <Terminal aria-hidden="true" />
        {t("detail.copyCurl")}
      </Button>
      <Button size="sm" onClick={() => copy(location.href)}>
        <LinkIcon aria-hidden="true" />
        {t("detail.copyLink")}
      </Button>
      <Button
        size="sm"
        variant="ghost"
        aria-label={t("detail.copyFrozen")}
        title={t("detail.copyFrozen")}
        onClick={() => copy(frozenLink(search, serverNow()))}
      >
        <Camera aria-hidden="true" />
      </Button>
      {admin && row.userId && BigInt(row.costNanoUsd ?? 0) > 0n && (
        <Link
          to="/credits"
          search={{ user: row.userId, refund: row.id, amount: formatUsd(BigInt(row.costNanoUsd ?? 0)) }}
          className={buttonClass({ size: "sm" })}
        >
          <Undo2 aria-hidden="true" />
          {t("credits.refundRequest")}
        </Link>
      )}
      {row.state === "in_flight" && role !== "key" && (
        <Button
          size="sm"
          className="ml-auto border-bad/50 text-bad"
          busy={cancel.isPending}
          disabled={cancel.isSuccess}
          onClick={() => cancel.mutate({ id: row.id })}
        >
          <OctagonX aria-hidden="true" />
          {t("detail.cancel")}
        </Button>
      )}
    </div>
  );
}

/** The address with an absolute time range, so that others see the same rows later. */
function frozenLink(search: LogSearch, nowMs: number): string {
  const url = new URL(location.href);
  const from = startOf(search, nowMs);
  if (from !== undefined) url.searchParams.set("from", String(from));
  url.searchParams.set("to", String(search.to ?? Math.ceil(nowMs)));
  return url.href;
}
