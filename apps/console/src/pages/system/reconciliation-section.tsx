import { useToastFailure } from "../../ui/use-toast-failure.ts";
import "../../live/reconciliation-feed.ts";
import type { BooksDifference, Reconciliation } from "@sluice/core/events";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CircleAlert, CircleCheck, CirclePause, Scale } from "lucide-react";
import { useMemo } from "react";
import { api } from "../../api/client.ts";
import { useNames } from "../../api/names.ts";
import { formatDateTime, formatDuration, formatExact } from "../../format.ts";
import { useTexts } from "../../text/i18n.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { type DataColumn, DataTable } from "../../ui/data-table.tsx";
import { FailureBox } from "../../ui/states.tsx";

/** Checks on request whether the books are correct, and lists every difference; nothing is repaired. */
export function ReconciliationSection() {
  const { t } = useTexts();
  const toastFailure = useToastFailure();
  const { data, error, refetch } = useQuery(api.reconciliations.newest.queryOptions());
  const start = useMutation(api.reconciliations.start.mutationOptions({ onError: toastFailure }));
  const runs = data?.state === "running";
  return (
    <section aria-labelledby="reconciliation" className="flex flex-col gap-3">
      <div className="flex flex-wrap items-end justify-between gap-3">
        <div>
          <h2 id="reconciliation" className="text-base font-semibold">
            {t("ledger.books")}
          </h2>
          <p className="max-w-[68ch] text-sm text-ink-2">{t("ledger.booksLead")}</p>
        </div>
        <Button variant="primary" busy={start.isPending || runs} onClick={() => start.mutate()}>
          {!runs && <Scale aria-hidden="true" />}
          {t("ledger.check")}
        </Button>
      </div>
      {error && <FailureBox error={error} onRetry={() => void refetch()} />}
      {data === null && <p className="text-sm text-ink-2">{t("ledger.neverChecked")}</p>}
      {data && <Result check={data} />}
    </section>
  );
}

function Result({ check }: { check: Reconciliation }) {
  const { t, language } = useTexts();
  const names = useNames();
  const { steps, stepsDone, unchecked, differences } = check;
  const who = check.actorId ? names.user(check.actorId) : t("audit.system.cli");
  return (
    <>
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2 rounded-xl border border-line bg-surface px-4 py-3 text-sm">
        <Verdict check={check} />
        <span className="text-ink-2">{t("ledger.checkedBy", { who, time: formatDateTime(check.startedAtMs, language) })}</span>
        {check.finishedAtMs !== null && (
          <span className="tabular-nums text-ink-3">
            {t("ledger.checkedIn", {
              steps: formatExact(stepsDone, language),
              time: formatDuration(check.finishedAtMs - check.startedAtMs),
            })}
          </span>
        )}
        {check.state === "running" && (
          <progress aria-label={t("ledger.books")} max={steps} value={stepsDone} className="h-2 min-w-40 flex-1 accent-accent" />
        )}
      </div>
      {unchecked.length > 0 && (
        <p className="text-sm text-warn">
          {t("ledger.unchecked", { count: unchecked.length })}{" "}
          <span className="font-mono text-xs">{unchecked.slice(0, 10).join(", ")}</span>
        </p>
      )}
      {differences.length > 0 && <Differences differences={differences} />}
    </>
  );
}

function Verdict({ check: { state, stepsDone, steps, differences } }: { check: Reconciliation }) {
  const { t, language } = useTexts();
  if (differences.length > 0)
    return (
      <Badge tone="bad">
        <CircleAlert aria-hidden="true" />
        {t("ledger.differences", { count: differences.length })}
      </Badge>
    );
  if (state === "done")
    return (
      <Badge tone="ok">
        <CircleCheck aria-hidden="true" />
        {t("ledger.right")}
      </Badge>
    );
  if (state === "stopped")
    return (
      <Badge tone="warn">
        <CirclePause aria-hidden="true" />
        {t("ledger.stopped")}
      </Badge>
    );
  const [done, all] = [formatExact(stepsDone, language), formatExact(steps, language)];
  return <Badge tone="accent">{t("ledger.checking", { done, all })}</Badge>;
}

function Differences({ differences }: { differences: BooksDifference[] }) {
  const { t, language } = useTexts();
  const columns = useMemo<DataColumn<BooksDifference>[]>(
    () => [
      {
        id: "what",
        header: t("ledger.what"),
        enableSorting: false,
        cell: ({ row: { original } }) => (
          <span>
            <span className="font-mono text-xs">{original.table}</span>{" "}
            <span className="text-xs text-ink-3">{t(`ledger.invariant.${original.invariant}`)}</span>
          </span>
        ),
      },
      { id: "where", header: t("ledger.where"), enableSorting: false, cell: ({ row: { original } }) => <Where difference={original} /> },
      {
        id: "expected",
        header: t("ledger.expected"),
        enableSorting: false,
        cell: ({ row: { original } }) => <Figure text={original.expected} />,
      },
      { id: "found", header: t("ledger.found"), enableSorting: false, cell: ({ row: { original } }) => <Figure text={original.found} /> },
    ],
    [t],
  );
  const rows = useMemo(() => differences.map((one) => ({ ...one })), [differences]);
  return (
    <DataTable
      label={t("ledger.differencesTable")}
      rows={rows}
      columns={columns}
      rowId={({ invariant, table, id }) => `${invariant} ${table} ${id} ${language}`}
    />
  );
}

function Figure({ text }: { text: string }) {
  return <span className="font-mono text-xs break-words">{text}</span>;
}

/** The request, key, user or bucket of a difference, linked to its rows. */
function Where({ difference: { id, requestId, keyId, userId, bucketMs } }: { difference: BooksDifference }) {
  const { language } = useTexts();
  const names = useNames();
  const link = "min-h-6 text-accent-ink hover:underline";
  if (requestId !== undefined)
    return (
      <Link to="/logs" search={{ log: requestId }} className={`${link} font-mono text-xs break-all`}>
        {requestId}
      </Link>
    );
  return (
    <span className="flex flex-col" title={id}>
      {bucketMs !== undefined && <span className="tabular-nums">{formatDateTime(bucketMs, language)}</span>}
      {keyId && (
        <Link to="/logs" search={{ key: keyId }} className={link}>
          {names.key(keyId)}
        </Link>
      )}
      {userId && (
        <Link to="/logs" search={{ user: userId }} className={link}>
          {names.user(userId)}
        </Link>
      )}
    </span>
  );
}
