import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CircleAlert, CircleCheck } from "lucide-react";
import { useState } from "react";
import { api, type Outputs } from "../../api/client.ts";
import { readFailure } from "../../api/failure.ts";
import { formatBytes, formatDateTime } from "../../format.ts";
import { useTexts } from "../../text/i18n.ts";
import { Button } from "../../ui/button.tsx";
import { CodeBlock } from "../../ui/code-block.tsx";
import { Dialog, DialogBody, DialogFooter } from "../../ui/dialog.tsx";
import { Field, Input } from "../../ui/field.tsx";
import { FailureBox, SkeletonRows, useFailureText } from "../../ui/states.tsx";
import { toastDone } from "../../ui/toast.tsx";
import { useToastFailure } from "../../ui/use-toast-failure.ts";
import { Facts } from "./fact-card.tsx";

type Detail = Outputs["quarantine"]["get"];

/** The content of a quarantined record, and the actions on it. */
export function QuarantineDialog({ id, onClose }: { id: string; onClose(): void }) {
  const { t } = useTexts();
  const { data, error, refetch } = useQuery(api.quarantine.get.queryOptions({ id }));
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()} title={t("ledger.record")} description={data?.requestId} width="max-w-3xl">
      {error && (
        <DialogBody>
          <FailureBox error={error} onRetry={() => void refetch()} />
        </DialogBody>
      )}
      {!data && !error && (
        <DialogBody>
          <SkeletonRows rows={3} />
        </DialogBody>
      )}
      {data && <Record record={data} onClose={onClose} />}
    </Dialog>
  );
}

function Record({ record, onClose }: { record: Detail; onClose(): void }) {
  const { t, language } = useTexts();
  const [dismissing, setDismissing] = useState(false);
  return (
    <>
      <DialogBody>
        <Facts
          facts={[
            [t("ledger.at"), formatDateTime(record.atMs, language)],
            [t("ledger.reason"), record.reason],
            [t("ledger.size"), formatBytes(record.sizeBytes, language)],
          ]}
        />
        <Outcome record={record} />
        <div className="shrink-0">
          <CodeBlock
            code={record.payload}
            what={t("ledger.payload")}
            title={`${t("ledger.payload")} · ${t(`ledger.encoding.${record.encoding}`)}`}
          />
        </div>
        {record.cut && <p className="text-xs text-ink-3">{t("ledger.cut")}</p>}
        {dismissing && <DismissForm id={record.id} onDone={onClose} />}
        {record.state !== "released" && !dismissing && <p className="text-xs text-ink-3">{t("ledger.releaseHint")}</p>}
      </DialogBody>
      {record.state !== "released" && !dismissing && (
        <DialogFooter>
          {record.state === "waiting" && <Button onClick={() => setDismissing(true)}>{t("ledger.dismiss")}…</Button>}
          <ReleaseButton id={record.id} />
        </DialogFooter>
      )}
    </>
  );
}

function Outcome({ record }: { record: Detail }) {
  const { t, language } = useTexts();
  if (record.releasedAtMs !== null)
    return (
      <p className="flex flex-wrap items-center gap-2 rounded-lg bg-ok-soft px-3 py-2 text-sm">
        <CircleCheck aria-hidden="true" className="size-4 text-ok" />
        {t("ledger.releasedAt", { time: formatDateTime(record.releasedAtMs, language) })}
        {record.requestId && (
          <Link to="/logs" search={{ log: record.requestId }} className="text-accent-ink hover:underline">
            {t("ledger.openRow")}
          </Link>
        )}
      </p>
    );
  if (record.dismissedAtMs === null) return null;
  return (
    <p className="rounded-lg bg-idle-soft px-3 py-2 text-sm break-words">
      {t("ledger.dismissedBecause", { time: formatDateTime(record.dismissedAtMs, language), reason: record.dismissReason })}
    </p>
  );
}

function ReleaseButton({ id }: { id: string }) {
  const { t } = useTexts();
  const toastFailure = useToastFailure();
  const release = useMutation(
    api.quarantine.release.mutationOptions({
      onSuccess: ({ outcome }) => {
        if (outcome === "released") toastDone(t("ledger.releasedDone"));
      },
      onError: toastFailure,
    }),
  );
  return (
    <>
      {release.data?.outcome === "refused" && (
        <p role="alert" className="flex flex-1 items-center gap-2 text-sm text-bad">
          <CircleAlert aria-hidden="true" className="size-4 shrink-0" />
          {t("ledger.releaseRefused")}
        </p>
      )}
      <Button variant="primary" busy={release.isPending} onClick={() => release.mutate({ id })}>
        {t("ledger.release")}
      </Button>
    </>
  );
}

function DismissForm({ id, onDone }: { id: string; onDone(): void }) {
  const { t } = useTexts();
  const failureText = useFailureText();
  const [reason, setReason] = useState("");
  const dismiss = useMutation(
    api.quarantine.dismiss.mutationOptions({
      onSuccess: () => {
        toastDone(t("ledger.dismissedDone"));
        onDone();
      },
    }),
  );
  return (
    <form
      className="flex items-end gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        dismiss.mutate({ id, reason });
      }}
    >
      <Field
        className="flex-1"
        label={t("ledger.dismissReason")}
        error={dismiss.error ? failureText(readFailure(dismiss.error)) : undefined}
      >
        {(ids) => <Input {...ids} value={reason} maxLength={500} onChange={(event) => setReason(event.target.value)} />}
      </Field>
      <Button type="submit" variant="danger" busy={dismiss.isPending} disabled={reason.trim() === ""}>
        {t("ledger.dismiss")}
      </Button>
    </form>
  );
}
