import { type CacheFigures, type CacheKind, cacheKindNames } from "@sluice/core/cache-kinds";
import type { InstanceState } from "@sluice/core/events";
import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Eraser, ListRestart } from "lucide-react";
import { useMemo } from "react";
import { api } from "../../api/client.ts";
import { formatBytes, formatCount, formatPercent } from "../../format.ts";
import { useTexts } from "../../text/i18n.ts";
import { Button } from "../../ui/button.tsx";
import { type DataColumn, DataTable } from "../../ui/data-table.tsx";
import { toastDone } from "../../ui/toast.tsx";
import { useToastFailure } from "../../ui/use-toast-failure.ts";
import { sumCaches } from "./sum-caches.ts";

type Row = CacheFigures & { kind: CacheKind };

const counts = ["hits", "misses", "bypasses", "errors", "entries"] as const satisfies readonly (keyof CacheFigures)[];

/** Caches by kind, summed over the latest reports of all processes; they can be cleared, and their counters reset. */
export function CachesSection({ instances }: { instances: readonly InstanceState[] }) {
  const { t, language } = useTexts();
  const toastFailure = useToastFailure();
  const rows = useMemo<Row[]>(() => {
    const sums = sumCaches(instances);
    return cacheKindNames.flatMap((kind) => (sums[kind] ? [{ kind, ...sums[kind] }] : []));
  }, [instances]);
  const reset = useMutation(
    api.caches.resetFigures.mutationOptions({
      onSuccess: () => toastDone(t("system.cacheResetDone")),
      onError: toastFailure,
    }),
  );
  const columns = useMemo<DataColumn<Row>[]>(
    () => [
      {
        id: "kind",
        accessorFn: ({ kind }) => kind,
        header: t("system.cacheKind"),
        cell: ({ row: { original } }) => <Name {...original} />,
      },
      {
        id: "rate",
        accessorFn: ({ hits, misses, bypasses }) => hits / (hits + misses + bypasses || 1),
        header: t("system.cacheRate"),
        align: "right",
        cell: ({ row: { original } }) => (
          <span className="tabular-nums">{formatPercent(original.hits, original.hits + original.misses + original.bypasses)}</span>
        ),
      },
      ...counts.map(
        (of): DataColumn<Row> => ({
          id: of,
          accessorFn: (row) => row[of],
          header: t(`system.cacheCount.${of}`),
          align: "right",
          cell: ({ row: { original } }) => <span className="tabular-nums">{formatCount(original[of], language)}</span>,
        }),
      ),
      {
        id: "bytes",
        accessorFn: ({ bytes }) => bytes,
        header: t("system.size"),
        align: "right",
        cell: ({ row: { original } }) => <span className="tabular-nums">{formatBytes(original.bytes, language)}</span>,
      },
      {
        id: "clear",
        header: () => <span className="sr-only">{t("system.cacheClear")}</span>,
        enableSorting: false,
        align: "right",
        cell: ({ row: { original } }) => <Clear kind={original.kind} />,
      },
    ],
    [t, language],
  );
  return (
    <section aria-labelledby="caches" className="flex flex-col gap-3">
      <div className="flex flex-wrap items-end justify-between gap-3">
        <div>
          <h2 id="caches" className="text-base font-semibold">
            {t("system.caches")}
          </h2>
          <p className="max-w-[68ch] text-sm text-ink-2">
            {t("system.cachesLead")}{" "}
            <Link to="/settings" search={{ q: "cache." }} className="text-accent-ink underline">
              {t("system.cacheLifetimes")}
            </Link>
          </p>
        </div>
        <Button busy={reset.isPending} disabled={rows.length === 0} onClick={() => reset.mutate()}>
          {!reset.isPending && <ListRestart aria-hidden="true" />}
          {t("system.cacheReset")}
        </Button>
      </div>
      {rows.length === 0 && <p className="text-sm text-ink-2">{t("system.cachesNone")}</p>}
      {rows.length > 0 && <DataTable label={t("system.cachesTable")} rows={rows} columns={columns} rowId={({ kind }) => kind} />}
    </section>
  );
}

function Name({ kind }: { kind: CacheKind }) {
  const { t } = useTexts();
  return <span className="font-medium">{t(`settings.name.cache_${kind}Seconds`)}</span>;
}

function Clear({ kind }: { kind: CacheKind }) {
  const { t, language } = useTexts();
  const toastFailure = useToastFailure();
  const clear = useMutation(
    api.caches.clear.mutationOptions({
      onSuccess: ({ cleared }) => toastDone(t("system.cacheCleared", { count: cleared, shown: formatCount(cleared, language) })),
      onError: toastFailure,
    }),
  );
  const name = t(`settings.name.cache_${kind}Seconds`);
  return (
    <Button
      className="max-sm:-ml-2.5"
      variant="ghost"
      size="sm"
      busy={clear.isPending}
      aria-label={t("system.cacheClearOf", { name })}
      onClick={() => clear.mutate({ kind })}
    >
      {!clear.isPending && <Eraser aria-hidden="true" />}
      {t("system.cacheClear")}
    </Button>
  );
}
