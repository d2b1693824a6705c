import type { TFunction } from "i18next";
import { CircleCheck, CirclePause, Pencil, ShieldCheck } from "lucide-react";
import { useTranslation } from "react-i18next";
import { formatDate } from "../../format.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import type { DataColumn } from "../../ui/data-table.tsx";
import { Switch } from "../../ui/switch.tsx";
import type { User } from "./user-dialog.tsx";

interface ColumnOptions {
  t: TFunction;
  me: string;
  onEdit(user: User): void;
  onToggle(user: User, enabled: boolean): void;
}

export function userColumns({ t, me, onEdit, onToggle }: ColumnOptions): DataColumn<User>[] {
  return [
    {
      id: "name",
      accessorFn: (user) => user.name,
      header: t("users.name"),
      cell: ({ row: { original: user } }) => (
        <div className="min-w-36">
          <span className="block max-w-64 truncate font-medium">
            {user.name}
            {user.id === me && <span className="font-normal text-ink-3"> ({t("users.you")})</span>}
          </span>
          <span className="block max-w-64 truncate text-xs text-ink-3">{user.email}</span>
        </div>
      ),
    },
    {
      id: "role",
      accessorFn: (user) => user.role,
      header: t("users.role"),
      cell: ({ row: { original: user } }) => (
        <Badge tone={user.role === "admin" ? "accent" : "idle"}>
          {user.role === "admin" && <ShieldCheck aria-hidden="true" />}
          {t(`account.${user.role}`)}
        </Badge>
      ),
    },
    { id: "status", accessorFn: (user) => user.enabled, header: t("users.status"), cell: ({ row }) => <StatusCell user={row.original} /> },
    {
      id: "created",
      accessorFn: (user) => user.createdAtMs,
      header: t("users.created"),
      wideOnly: true,
      cell: ({ row }) => <Added ms={row.original.createdAtMs} />,
    },
    {
      id: "actions",
      header: () => <span className="sr-only">{t("common.actions")}</span>,
      enableSorting: false,
      align: "right",
      cell: ({ row: { original: user } }) => (
        <div className="flex items-center justify-end gap-2">
          <Switch
            checked={user.enabled}
            disabled={user.id === me}
            onChange={(enabled) => onToggle(user, enabled)}
            label={`${t("common.enabled")}: ${user.name}`}
          />
          <Button variant="ghost" size="iconSm" aria-label={t("users.editTitle", { name: user.name })} onClick={() => onEdit(user)}>
            <Pencil aria-hidden="true" />
          </Button>
        </div>
      ),
    },
  ];
}

function StatusCell({ user }: { user: User }) {
  const { t } = useTranslation();
  return (
    <div className="flex flex-wrap gap-1.5">
      <Badge tone={user.enabled ? "ok" : "idle"}>
        {user.enabled ? <CircleCheck aria-hidden="true" /> : <CirclePause aria-hidden="true" />}
        {user.enabled ? t("common.enabled") : t("common.disabled")}
      </Badge>
      {!user.hasPassword && <Badge tone="idle">{t("users.noPassword")}</Badge>}
    </div>
  );
}

function Added({ ms }: { ms: number }) {
  const { i18n } = useTranslation();
  return <span className="whitespace-nowrap text-ink-2">{formatDate(ms, i18n.language)}</span>;
}
