import { useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { RotateCcw } from "lucide-react";
import { useState } from "react";
import { api, client, type Outputs } from "../../api/client.ts";
import { readFailure } from "../../api/failure.ts";
import { formatDateTime } from "../../format.ts";
import type { ProviderLine } from "../../providers/provider.ts";
import { useTexts } from "../../text/i18n.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { Dialog, DialogBody, DialogFooter } from "../../ui/dialog.tsx";
import { Field, Input } from "../../ui/field.tsx";
import { FailureBox, SkeletonRows } from "../../ui/states.tsx";
import { toastDone } from "../../ui/toast.tsx";
import { useChanges } from "./history-changes.ts";

type Version = Outputs["providers"]["history"]["items"][number];

/** The changes of a provider with time and author; an earlier version can be restored. */
export function HistoryDialog({ provider, onClose }: { provider: ProviderLine; onClose(): void }) {
  const { t } = useTexts();
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery({
    // Below the providers' own key, so that a change of any provider makes it stale.
    queryKey: [...api.providers.pathKey(), "history of", provider.id],
    queryFn: ({ pageParam }) => client.providers.history.query({ id: provider.id, cursor: pageParam }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.nextCursor,
    gcTime: 0,
    staleTime: 0,
  });
  const rows = data?.pages.flatMap((page) => page.items) ?? [];
  const newest = rows.findIndex(isWhole);
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t("providers.versions.title", { name: provider.name })}
      width="max-w-2xl"
    >
      <DialogBody className="min-h-60">
        {error && <FailureBox error={error} onRetry={() => void refetch()} />}
        {!data && !error && <SkeletonRows rows={4} />}
        {data && rows.length === 0 && <p className="text-sm text-ink-2">{t("providers.versions.empty")}</p>}
        <ol className="flex flex-col divide-y divide-line">
          {rows.map((row, index) => (
            <VersionRow key={row.id} provider={provider} version={row} current={index === newest} onRestored={onClose} />
          ))}
        </ol>
        {hasNextPage && (
          <Button busy={isFetchingNextPage} onClick={() => void fetchNextPage()} className="self-center">
            {t("providers.versions.more")}
          </Button>
        )}
      </DialogBody>
      <DialogFooter>
        <Button onClick={onClose}>{t("common.close")}</Button>
      </DialogFooter>
    </Dialog>
  );
}

/** Entries of resets only record an event and cannot be restored. */
function isWhole(version: Version): boolean {
  return version.after?.name !== undefined;
}

interface VersionRowProps {
  provider: ProviderLine;
  version: Version;
  current: boolean;
  onRestored(): void;
}

function VersionRow({ provider, version, current, onRestored }: VersionRowProps) {
  const { t, language } = useTexts();
  const [secret, setSecret] = useState("");
  const changes = useChanges(version);
  const restore = useMutation(
    api.providers.restore.mutationOptions({
      onSuccess: () => {
        toastDone(t("providers.versions.restored", { name: provider.name }));
        onRestored();
      },
    }),
  );
  const wantsSecret = restore.error !== null && readFailure(restore.error).field === "secret";
  const action = version.action.replace("provider.", "") as "update";
  return (
    <li className="flex flex-col gap-2 py-3 first:pt-0">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <p className="min-w-0 flex-1 text-sm">
          <span className="font-medium">{t(`providers.versions.action.${action}`)}</span>{" "}
          <span className="text-ink-3">
            <time dateTime={new Date(version.atMs).toISOString()} className="tabular-nums">
              {formatDateTime(version.atMs, language)}
            </time>
            {version.actor && ` · ${t("providers.versions.by", { name: version.actor })}`}
          </span>
        </p>
        {current && <Badge tone="ok">{t("providers.versions.current")}</Badge>}
        {!current && isWhole(version) && (
          <Button
            size="sm"
            busy={restore.isPending}
            disabled={wantsSecret && !secret.trim()}
            onClick={() => restore.mutate({ id: provider.id, versionId: version.id, ...(secret.trim() && { secret: secret.trim() }) })}
          >
            <RotateCcw aria-hidden="true" />
            {t("providers.versions.restore")}
          </Button>
        )}
      </div>
      {changes.length > 0 && (
        <ul className="flex flex-col gap-0.5 text-xs text-ink-2 [overflow-wrap:anywhere]">
          {changes.map((text) => (
            <li key={text}>{text}</li>
          ))}
        </ul>
      )}
      {restore.error && <FailureBox error={restore.error} />}
      {wantsSecret && (
        <Field label={t("providers.versions.secret")}>
          {(ids) => (
            <Input {...ids} type="password" autoComplete="off" value={secret} onChange={(event) => setSecret(event.target.value)} />
          )}
        </Field>
      )}
    </li>
  );
}
