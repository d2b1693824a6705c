import { Copy, Filter, FilterX, PanelRight } from "lucide-react";
import type { NameLookup } from "../../api/names.ts";
import { useTexts } from "../../text/i18n.ts";
import { useCopy } from "../../ui/copy-button.tsx";
import { AnchoredMenu, MenuItem } from "../../ui/menu.tsx";
import { useLogText } from "./log-text.ts";
import type { MenuCell } from "./menu-cell.ts";
import { type Condition, canExclude } from "./search.ts";

interface CellMenuProps {
  cell: MenuCell;
  names: NameLookup;
  onClose(): void;
  onFilter(condition: Condition): void;
  onOpen(id: string): void;
}

/** Actions for the value of a cell. */
export function CellMenu({ cell, names, onClose, onFilter, onOpen }: CellMenuProps) {
  const { t } = useTexts();
  const copy = useCopy();
  const { valueText } = useLogText(names);
  const { element, field, value, requestId } = cell;
  const name = t(`filter.${field}`);
  const text = valueText(field, value);
  return (
    <AnchoredMenu anchor={element} label={t("cell.actions", { name })} onClose={onClose}>
      <MenuItem onClick={() => onFilter({ field, value, not: false })}>
        <Filter aria-hidden="true" />
        <span className="truncate">{t("cell.for", { value: text })}</span>
      </MenuItem>
      {canExclude(field) && (
        <MenuItem onClick={() => onFilter({ field, value, not: true })}>
          <FilterX aria-hidden="true" />
          <span className="truncate">{t("cell.out", { value: text })}</span>
        </MenuItem>
      )}
      <MenuItem onClick={() => void copy(field === "session" ? value : text)}>
        <Copy aria-hidden="true" />
        {t("cell.copy", { name })}
      </MenuItem>
      <MenuItem onClick={() => onOpen(requestId)}>
        <PanelRight aria-hidden="true" />
        {t("keyboard.open")}
      </MenuItem>
    </AnchoredMenu>
  );
}
