import type { FilterField } from "./search.ts";

/** A cell whose menu is open. */
export interface MenuCell {
  element: HTMLElement;
  field: FilterField;
  value: string;
  requestId: string;
}

/** The cell that contains an element of the table, if it can be filtered by. */
export function cellOf(element: Element): MenuCell | null {
  const cell = element.closest<HTMLElement>("[data-field]");
  const requestId = cell?.closest<HTMLElement>("[data-id]")?.dataset.id;
  const { field, value } = cell?.dataset ?? {};
  return cell && field && value && requestId ? { element: cell, field: field as FilterField, value, requestId } : null;
}
