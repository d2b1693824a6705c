import type { ReactNode } from "react";
import type { ListColumn, ListRow } from "../lists/row-list.tsx";
import { LastUsed, NamedUsageCount, UsageCost, UsageCount } from "../lists/usage-cells.tsx";
import { serverNow } from "../live/server-clock.ts";
import { useTexts } from "../text/i18n.ts";
import { Button } from "../ui/button.tsx";
import { type Key, keyStatus } from "./key.ts";
import { KeyLimitsText, KeyPreview, KeyStatusBadge } from "./key-cells.tsx";
import { type KeyAct, KeyControls } from "./key-controls.tsx";

export interface KeyRow extends ListRow {
  kind: "key";
  key: Key;
}

export function keyRow(key: Key, place: Pick<ListRow, "level" | "posInSet" | "setSize">): KeyRow {
  return { ...place, id: key.id, kind: "key", key, dim: keyStatus(key, serverNow()) !== "active" };
}

/** Columns that keys and users share; `second` are the different ones. */
export function useUsageColumns(name: string, second: ListColumn[], limits?: string): ListColumn[] {
  const { t } = useTexts();
  return [
    { id: "name", label: name, track: "minmax(10rem, 2.2fr)", sort: "name" },
    { id: "status", label: t("keys.status"), track: "minmax(6.5rem, 0.8fr)" },
    ...second,
    { id: "limits", label: limits ?? t("keys.limits"), track: "minmax(6.5rem, 1fr)", wideOnly: true },
    { id: "requests", label: t("lists.requests"), track: "5rem", sort: "requests", right: true },
    { id: "tokens", label: t("lists.tokens"), track: "4.5rem", sort: "tokens", right: true },
    { id: "cost", label: t("lists.cost"), track: "5rem", right: true, wideOnly: true },
    { id: "lastUsed", label: t("lists.lastUsed"), track: "6.5rem", sort: "lastUsed", right: true },
    { id: "actions", label: t("common.actions"), track: "5.5rem", right: true, hiddenHead: true },
  ];
}

/** Cells with figures, which keys and users share; null for other columns. */
export function usageCell(id: string, column: string): ReactNode {
  if (column === "requests") return <UsageCount id={id} of="requests" />;
  if (column === "tokens") return <UsageCount id={id} of="totalTokens" />;
  if (column === "cost") return <UsageCost id={id} />;
  return column === "lastUsed" ? (
    <span className="block truncate text-xs text-ink-2">
      <LastUsed id={id} />
    </span>
  ) : null;
}

interface KeyCellProps {
  row: Key;
  column: string;
  admin: boolean;
  tabIndex: 0 | -1;
  onAct(act: KeyAct): void;
}

export function KeyCell({ row, column, admin, tabIndex, onAct }: KeyCellProps) {
  if (column === "name") return <KeyName row={row} tabIndex={tabIndex} onAct={onAct} />;
  if (column === "status") return <KeyStatusBadge row={row} />;
  if (column === "owner") return <OwnerCell row={row} />;
  if (column === "group") return <span className="block truncate">{row.group}</span>;
  if (column === "limits") return <KeyLimitsText row={row} />;
  if (column === "actions") return <KeyControls row={row} admin={admin} tabIndex={tabIndex} onAct={onAct} />;
  return usageCell(row.id, column);
}

function KeyName({ row, tabIndex, onAct }: Pick<KeyCellProps, "row" | "tabIndex" | "onAct">) {
  return (
    <span className="block min-w-0">
      <Button
        variant="link"
        data-key-name=""
        tabIndex={tabIndex}
        className="max-w-full justify-start text-sm text-ink"
        onClick={() => onAct({ act: "open", key: row })}
      >
        <span className="truncate">{row.name}</span>
      </Button>
      <KeyPreview row={row} />
    </span>
  );
}

function OwnerCell({ row: { owner } }: { row: Key }) {
  return (
    <span className="block min-w-0">
      <span className="block truncate">{owner?.name}</span>
      <span className="block truncate text-xs text-ink-3">{owner?.email}</span>
    </span>
  );
}

/** A key where there is no room for columns: name and state above, figures below. */
export function KeyCard(props: Omit<KeyCellProps, "column">) {
  const { row, admin, tabIndex, onAct } = props;
  return (
    <div className="flex flex-col gap-1.5">
      <div className="flex items-center justify-between gap-3">
        <KeyName row={row} tabIndex={tabIndex} onAct={onAct} />
        <KeyControls row={row} admin={admin} tabIndex={tabIndex} onAct={onAct} />
      </div>
      <FiguresLine id={row.id}>
        <KeyStatusBadge row={row} />
      </FiguresLine>
    </div>
  );
}

/** State, requests, tokens and last use in one line; items that do not fit are omitted rather than truncated. */
export function FiguresLine({ id, children }: { id: string; children: ReactNode }) {
  return (
    <div className="flex h-6 flex-wrap items-center gap-x-3 overflow-hidden text-xs leading-6 whitespace-nowrap text-ink-2">
      {children}
      <NamedUsageCount id={id} of="requests" />
      <NamedUsageCount id={id} of="totalTokens" />
      <span className="ml-auto">
        <LastUsed id={id} />
      </span>
    </div>
  );
}
