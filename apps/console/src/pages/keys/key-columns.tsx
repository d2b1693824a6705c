import { useNavigate } from "@tanstack/react-router";
import type { TFunction } from "i18next";
import { Ban, CircleCheck, CirclePause, Ellipsis, Hourglass, Pencil, ScrollText, Trash2 } from "lucide-react";
import { useTranslation } from "react-i18next";
import { formatDate, formatDateTime } from "../../format.ts";
import { serverNow } from "../../live/server-clock.ts";
import { Badge, type Tone } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import type { DataColumn } from "../../ui/data-table.tsx";
import { Menu, MenuItem, MenuSeparator } from "../../ui/menu.tsx";
import { Switch } from "../../ui/switch.tsx";
import { type Key, type KeyStatus, keyStatus } from "./key.ts";

interface ColumnOptions {
  t: TFunction;
  admin: boolean;
  onEdit(key: Key): void;
  onRevoke(key: Key): void;
  onToggle(key: Key, enabled: boolean): void;
}

export function keyColumns({ t, admin, onEdit, onRevoke, onToggle }: ColumnOptions): DataColumn<Key>[] {
  const owner: DataColumn<Key> = {
    id: "owner",
    accessorFn: (key) => key.userName,
    header: t("keys.owner"),
    cell: ({ row }) => (
      <div className="max-w-56">
        <span className="block truncate">{row.original.userName}</span>
        <span className="block truncate text-xs text-ink-3">{row.original.userEmail}</span>
      </div>
    ),
  };
  return [
    {
      id: "name",
      accessorFn: (key) => key.name,
      header: t("keys.name"),
      cell: ({ row }) => (
        <div className="min-w-32">
          <span className="block max-w-64 truncate font-medium">{row.original.name}</span>
          <span className="block font-mono text-2xs text-ink-3">{row.original.preview}</span>
        </div>
      ),
    },
    {
      id: "status",
      accessorFn: (key) => keyStatus(key, serverNow()),
      header: t("keys.status"),
      cell: ({ row }) => <StatusCell row={row.original} />,
    },
    ...(admin ? [owner] : []),
    { id: "group", accessorFn: (key) => key.group, header: t("keys.group"), wideOnly: true, cell: ({ row }) => row.original.group },
    { id: "limits", header: t("keys.limits"), enableSorting: false, cell: ({ row }) => <LimitsCell row={row.original} /> },
    {
      id: "expires",
      accessorFn: (key) => key.expiresAtMs ?? Number.MAX_SAFE_INTEGER,
      header: t("keys.expires"),
      wideOnly: true,
      cell: ({ row }) => <DateCell ms={row.original.expiresAtMs} />,
    },
    {
      id: "created",
      accessorFn: (key) => key.createdAtMs,
      header: t("keys.created"),
      wideOnly: true,
      cell: ({ row }) => <DateCell ms={row.original.createdAtMs} />,
    },
    {
      id: "actions",
      header: () => <span className="sr-only">{t("common.actions")}</span>,
      enableSorting: false,
      align: "right",
      cell: ({ row }) => <Actions row={row.original} onEdit={onEdit} onRevoke={onRevoke} onToggle={onToggle} />,
    },
  ];
}

const looks: Record<KeyStatus, { tone: Tone; icon: typeof Ban }> = {
  active: { tone: "ok", icon: CircleCheck },
  disabled: { tone: "idle", icon: CirclePause },
  expired: { tone: "warn", icon: Hourglass },
  revoked: { tone: "bad", icon: Ban },
};

function StatusCell({ row }: { row: Key }) {
  const { t } = useTranslation();
  const status = keyStatus(row, serverNow());
  const { tone, icon: Icon } = looks[status];
  return (
    <Badge tone={tone}>
      <Icon aria-hidden="true" />
      {status === "disabled" ? t("common.disabled") : t(`keys.${status}`)}
    </Badge>
  );
}

function LimitsCell({ row }: { row: Key }) {
  const { t } = useTranslation();
  const limits = [
    row.rpm === null ? null : t("keys.rpmShort", { count: row.rpm }),
    row.inFlight === null ? null : t("keys.inFlightShort", { count: row.inFlight }),
  ].filter((limit) => limit !== null);
  return limits.length > 0 ? (
    <span className="whitespace-nowrap">{limits.join(" · ")}</span>
  ) : (
    <span className="whitespace-nowrap text-ink-3">{t("common.noLimit")}</span>
  );
}

function DateCell({ ms }: { ms: number | null }) {
  const { t, i18n } = useTranslation();
  if (ms === null) return <span className="text-ink-3">{t("keys.never")}</span>;
  return (
    <time dateTime={new Date(ms).toISOString()} title={formatDateTime(ms, i18n.language)} className="whitespace-nowrap text-ink-2">
      {formatDate(ms, i18n.language)}
    </time>
  );
}

type ActionsProps = Pick<ColumnOptions, "onEdit" | "onRevoke" | "onToggle"> & { row: Key };

function Actions({ row, onEdit, onRevoke, onToggle }: ActionsProps) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const revoked = row.revokedAtMs !== null;
  return (
    <div className="flex items-center justify-end gap-2">
      {!revoked && (
        <Switch checked={row.enabled} onChange={(enabled) => onToggle(row, enabled)} label={`${t("common.enabled")}: ${row.name}`} />
      )}
      <Menu
        trigger={
          <Button variant="ghost" size="iconSm" aria-label={t("common.more", { name: row.name })}>
            <Ellipsis aria-hidden="true" />
          </Button>
        }
      >
        {!revoked && (
          <MenuItem onClick={() => onEdit(row)}>
            <Pencil aria-hidden="true" />
            {t("common.edit")}
          </MenuItem>
        )}
        <MenuItem onClick={() => void navigate({ to: "/logs", search: { key: row.id } })}>
          <ScrollText aria-hidden="true" />
          {t("keys.viewLogs")}
        </MenuItem>
        {!revoked && (
          <>
            <MenuSeparator />
            <MenuItem danger onClick={() => onRevoke(row)}>
              <Trash2 aria-hidden="true" />
              {t("keys.revoke")}
            </MenuItem>
          </>
        )}
      </Menu>
    </div>
  );
}
