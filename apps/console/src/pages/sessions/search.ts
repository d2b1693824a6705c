import type { SessionRow } from "@sluice/core/events";
import type { NameLookup } from "../../api/names.ts";
import { type SearchField, type SearchOf, searchOf, text } from "../../search-fields.ts";

/** Session ids that the server accepts. */
const sessionId: SearchField<string> = (value) => (typeof value === "string" && /^[\w-]{1,64}$/.test(value) ? value : undefined);

/** The state of the page, as its address carries it, so that every view can be shared. */
export const SessionSearch = searchOf({
  /** Words that must all occur in the row's text. */
  q: text,
  user: text,
  key: text,
  provider: text,
  model: text,
  /** The session in the drawer. */
  session: sessionId,
});
export type SessionSearch = SearchOf<typeof SessionSearch>;

export const filterFields = ["user", "key", "provider", "model"] as const;
export type SessionField = (typeof filterFields)[number];

/** The value by which a field filters. */
export function fieldValue(row: SessionRow, field: SessionField): string {
  if (field === "model") return row.model;
  return { user: row.userId, key: row.keyId, provider: row.providerId }[field];
}

/** Whether anything narrows the list. */
export function isFiltered(search: SessionSearch): boolean {
  return Boolean(search.q?.trim()) || filterFields.some((field) => search[field]);
}

/** Whether a session matches the search. */
export function matchesSession(row: SessionRow, search: SessionSearch, names: NameLookup): boolean {
  if (filterFields.some((field) => search[field] && fieldValue(row, field) !== search[field])) return false;
  const words = (search.q ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  const shown = [
    row.client,
    row.model,
    row.id,
    names.user(row.userId),
    names.key(row.keyId),
    row.providerId && names.provider(row.providerId),
  ];
  const hay = shown.join(" ").toLowerCase();
  return words.every((word) => hay.includes(word));
}
