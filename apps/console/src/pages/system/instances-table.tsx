import type { BoundSessions, InstanceState } from "@sluice/core/events";
import { useMemo } from "react";
import { formatBytes, formatCount, formatDuration, formatPercent } from "../../format.ts";
import { ticks } from "../../live/server-clock.ts";
import { GONE_AFTER_MS } from "../../live/settled-up-to.ts";
import { useStore } from "../../live/store.ts";
import { useTexts } from "../../text/i18n.ts";
import { Badge } from "../../ui/badge.tsx";
import { type DataColumn, DataTable } from "../../ui/data-table.tsx";
import { Seen } from "./seen.tsx";

/** The processes, by their latest reports. */
export function InstancesTable({ instances }: { instances: InstanceState[] }) {
  const { t, language } = useTexts();
  const columns = useMemo<DataColumn<InstanceState>[]>(
    () => [
      {
        id: "instance",
        accessorFn: ({ id }) => id,
        header: t("system.instance"),
        cell: ({ row: { original } }) => (
          <div className="min-w-0">
            <p className="font-medium">{original.roles.map((role) => t(`system.role.${role}` as "system.role.api")).join(" · ")}</p>
            <p className="font-mono text-xs text-ink-3">
              {original.id} · {original.host}:{original.pid}
            </p>
          </div>
        ),
      },
      { id: "state", header: t("system.seen"), enableSorting: false, cell: ({ row: { original } }) => <Seen instance={original} /> },
      {
        id: "version",
        accessorFn: ({ version }) => version,
        header: t("system.version"),
        cell: ({ row: { original } }) => (
          <span title={original.runtime} className="tabular-nums">
            {original.version}
          </span>
        ),
      },
      {
        id: "started",
        header: t("system.started"),
        align: "right",
        enableSorting: false,
        cell: ({ row: { original } }) => <Running {...original} />,
      },
      {
        id: "memory",
        accessorFn: ({ memoryBytes }) => memoryBytes,
        header: t("system.memory"),
        align: "right",
        cell: ({ row: { original } }) => <span className="tabular-nums">{formatBytes(original.memoryBytes, language)}</span>,
      },
      {
        id: "inFlight",
        accessorFn: ({ gateway }) => gateway?.inFlight ?? -1,
        header: t("system.inFlight"),
        align: "right",
        cell: ({ row: { original } }) => <Count value={original.gateway?.inFlight} />,
      },
      {
        id: "requests",
        accessorFn: ({ gateway }) => gateway?.requests ?? -1,
        header: t("system.requestsServed"),
        align: "right",
        wideOnly: true,
        cell: ({ row: { original } }) => <Count value={original.gateway?.requests} />,
      },
      {
        id: "sessions",
        accessorFn: ({ gateway }) => gateway?.sessions?.size ?? -1,
        header: t("system.boundSessions"),
        align: "right",
        wideOnly: true,
        cell: ({ row: { original } }) => <Bound sessions={original.gateway?.sessions} />,
      },
      {
        id: "viewers",
        accessorFn: ({ subscribers }) => subscribers,
        header: t("system.viewers"),
        align: "right",
        wideOnly: true,
        cell: ({ row: { original } }) => <Count value={original.roles.includes("api") ? original.subscribers : undefined} />,
      },
      {
        id: "spool",
        header: t("system.spool"),
        align: "right",
        enableSorting: false,
        cell: ({ row: { original } }) => <Spool spool={original.spool} />,
      },
    ],
    [t, language],
  );
  return (
    <DataTable
      label={t("system.instances")}
      rows={instances}
      columns={columns}
      rowId={({ id }) => id}
      sort={[{ id: "instance", desc: false }]}
    />
  );
}

function Running({ startedAtMs, seenAtMs }: InstanceState) {
  const nowMs = useStore(ticks);
  const untilMs = nowMs - seenAtMs > GONE_AFTER_MS ? seenAtMs : nowMs;
  return <span className="tabular-nums">{formatDuration(Math.max(0, untilMs - startedAtMs))}</span>;
}

function Count({ value }: { value: number | undefined }) {
  const { language } = useTexts();
  return <span className="tabular-nums">{value === undefined ? <span className="text-ink-3">—</span> : formatCount(value, language)}</span>;
}

function Spool({ spool }: { spool: InstanceState["spool"] }) {
  const { t, language } = useTexts();
  if (!spool) return <span className="text-ink-3">—</span>;
  if (!spool.writable) return <Badge tone="bad">{t("system.unwritable")}</Badge>;
  if (spool.depth === 0) return <span className="text-ink-3">{t("system.spoolEmpty")}</span>;
  return (
    <span className="tabular-nums">
      {formatCount(spool.depth, language)}{" "}
      <span className="text-xs text-ink-3">{t("system.spoolAge", { age: formatDuration(spool.oldestAgeMs) })}</span>
    </span>
  );
}

/** Bound sessions: the size of their store, and its hit rate. */
function Bound({ sessions }: { sessions: BoundSessions | undefined }) {
  const { t } = useTexts();
  if (!sessions) return <Count value={undefined} />;
  const { size, max, hits, misses } = sessions;
  const said = t("system.boundOf", { max, hits, lookups: hits + misses });
  return (
    <span title={said} className="tabular-nums">
      {formatPercent(size / max, 1)}
      <span className="sr-only">{said}</span>
    </span>
  );
}
