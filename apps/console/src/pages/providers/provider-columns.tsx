import type { ProviderHealth } from "@sluice/core/events";
import { useNavigate } from "@tanstack/react-router";
import type { TFunction } from "i18next";
import { Ellipsis, Pencil, ScrollText, Trash2 } from "lucide-react";
import { useTranslation } from "react-i18next";
import { exactCost, formatCost, formatExact, formatPercent } from "../../format.ts";
import { noHealth } from "../../live/provider-health.ts";
import type { Provider } from "../../providers/provider.ts";
import { ProviderTestButton } from "../../providers/provider-test.tsx";
import { Button } from "../../ui/button.tsx";
import type { DataColumn } from "../../ui/data-table.tsx";
import { Menu, MenuItem, MenuSeparator } from "../../ui/menu.tsx";
import { Switch } from "../../ui/switch.tsx";
import { HealthCell } from "./provider-health-cell.tsx";

export interface ProviderLine {
  provider: Provider;
  health: ProviderHealth | undefined;
}

interface ColumnOptions {
  t: TFunction;
  onEdit(provider: Provider): void;
  onDelete(provider: Provider): void;
  onToggle(provider: Provider, enabled: boolean): void;
}

const healthOf = ({ provider, health }: ProviderLine): ProviderHealth => health ?? noHealth(provider.id);

export function providerColumns({ t, onEdit, onDelete, onToggle }: ColumnOptions): DataColumn<ProviderLine>[] {
  return [
    {
      id: "name",
      accessorFn: ({ provider }) => provider.name,
      header: t("providers.name"),
      cell: ({ row }) => <NameCell provider={row.original.provider} onEdit={onEdit} />,
    },
    {
      id: "health",
      header: t("providers.health"),
      enableSorting: false,
      cell: ({ row }) => <HealthCell health={healthOf(row.original)} enabled={row.original.provider.enabled} />,
    },
    {
      id: "inFlight",
      accessorFn: (line) => healthOf(line).inFlight,
      header: t("providers.inFlight"),
      align: "right",
      cell: ({ row }) => <Figure value={healthOf(row.original).inFlight} strong />,
    },
    {
      id: "requests",
      accessorFn: (line) => healthOf(line).requests,
      header: t("providers.today"),
      align: "right",
      cell: ({ row }) => <Figure value={healthOf(row.original).requests} />,
    },
    {
      id: "errors",
      accessorFn: (line) => healthOf(line).errors / Math.max(1, healthOf(line).requests),
      header: t("providers.errorShare"),
      align: "right",
      wideOnly: true,
      cell: ({ row }) => <ErrorShare health={healthOf(row.original)} />,
    },
    {
      id: "cost",
      accessorFn: (line) => Number(healthOf(line).costNanoUsd),
      header: t("providers.spend"),
      align: "right",
      cell: ({ row }) => {
        const { costNanoUsd } = healthOf(row.original);
        return <span title={exactCost(costNanoUsd)}>{formatCost(costNanoUsd)}</span>;
      },
    },
    {
      id: "routing",
      accessorFn: ({ provider }) => provider.priority,
      header: t("providers.routing"),
      wideOnly: true,
      cell: ({ row }) => <RoutingCell provider={row.original.provider} />,
    },
    {
      id: "actions",
      header: () => <span className="sr-only">{t("common.actions")}</span>,
      enableSorting: false,
      align: "right",
      cell: ({ row: { original } }) => <Actions provider={original.provider} onEdit={onEdit} onDelete={onDelete} onToggle={onToggle} />,
    },
  ];
}

function NameCell({ provider, onEdit }: { provider: Provider; onEdit(provider: Provider): void }) {
  const { t } = useTranslation();
  return (
    <div className="max-w-64 min-w-36">
      <button
        type="button"
        onClick={() => onEdit(provider)}
        className="block min-h-6 max-w-full truncate font-medium text-ink underline-offset-3 hover:text-accent-ink hover:underline"
      >
        {provider.name}
      </button>
      <span className="block truncate text-xs text-ink-3" title={provider.baseUrl}>
        {t(`dialect.${provider.dialect}`)} · {hostOf(provider.baseUrl)}
      </span>
    </div>
  );
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}

function Figure({ value, strong = false }: { value: number; strong?: boolean }) {
  const { i18n } = useTranslation();
  if (value === 0) return <span className="text-ink-3">0</span>;
  return <span className={strong ? "font-medium text-accent-ink" : undefined}>{formatExact(value, i18n.language)}</span>;
}

function ErrorShare({ health: { errors, requests } }: { health: ProviderHealth }) {
  if (requests === 0) return <span className="text-ink-3">—</span>;
  const tone = errors === 0 ? "text-ink-3" : errors / requests > 0.05 ? "font-medium text-bad" : "text-ink-2";
  return (
    <span className={tone} title={`${errors} / ${requests}`}>
      {requests < 30 ? `${errors} / ${requests}` : formatPercent(errors, requests)}
    </span>
  );
}

function RoutingCell({ provider }: { provider: Provider }) {
  const { t } = useTranslation();
  return (
    <div className="max-w-56 text-xs">
      <span className="block whitespace-nowrap text-ink-2">
        <span className="font-semibold text-ink">{t("providers.priorityShort", { priority: provider.priority })}</span> ·{" "}
        {t("providers.weightShort", { weight: provider.weight })}
        {provider.costMultiplier !== "1" && ` · ×${provider.costMultiplier}`}
      </span>
      <span className="block truncate text-ink-3" title={provider.models.join(", ")}>
        {provider.groups.join(", ")} ·{" "}
        {provider.models.length === 0 ? t("providers.anyModel") : t("providers.modelCount", { count: provider.models.length })}
      </span>
    </div>
  );
}

type ActionsProps = Omit<ColumnOptions, "t"> & { provider: Provider };

function Actions({ provider, onEdit, onDelete, onToggle }: ActionsProps) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  return (
    <div className="flex items-center justify-end gap-2">
      <ProviderTestButton id={provider.id} name={provider.name} />
      <Switch
        checked={provider.enabled}
        onChange={(enabled) => onToggle(provider, enabled)}
        label={`${t("providers.enabled")}: ${provider.name}`}
      />
      <Menu
        trigger={
          <Button variant="ghost" size="iconSm" aria-label={t("common.more", { name: provider.name })}>
            <Ellipsis aria-hidden="true" />
          </Button>
        }
      >
        <MenuItem onClick={() => onEdit(provider)}>
          <Pencil aria-hidden="true" />
          {t("common.edit")}
        </MenuItem>
        <MenuItem onClick={() => void navigate({ to: "/logs", search: { provider: provider.id } })}>
          <ScrollText aria-hidden="true" />
          {t("providers.viewLogs")}
        </MenuItem>
        <MenuSeparator />
        <MenuItem danger onClick={() => onDelete(provider)}>
          <Trash2 aria-hidden="true" />
          {t("common.delete")}
        </MenuItem>
      </Menu>
    </div>
  );
}
