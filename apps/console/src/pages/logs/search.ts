import type { LogFilter } from "@sluice/core/inputs/log";
import { inOrder, rangeEnd, rangeStart, ranges, startOf } from "../../ranges/range-search.ts";
import { anyId, anyName, choice, type SearchOf, searchOf, text, uuid, wholeBetween } from "../../search-fields.ts";

export const dialects = ["anthropic", "openai", "gemini"] as const;
export const states = ["in_flight", "lost", "done", "error", "aborted", "refused"] as const;
export const statuses = ["2xx", "3xx", "4xx", "5xx", "aborted", "refused"] as const;

/** The state of the log page, as its address carries it, so that every view can be shared. */
export const LogSearch = inOrder(
  searchOf({
    user: anyId,
    key: anyId,
    provider: anyId,
    model: anyName,
    session: anyName,
    group: anyName,
    dialect: choice(dialects),
    state: choice(states),
    status: choice(statuses),
    request: uuid,
    attempts: wholeBetween(2, 100),
    // Excluded values: separated by commas, each encoded.
    notUser: text,
    notKey: text,
    notProvider: text,
    notModel: text,
    notSession: text,
    notGroup: text,
    notDialect: text,
    notState: text,
    notStatus: text,
    from: rangeStart,
    /** With an end, the page shows history instead of the live log. */
    to: rangeEnd,
    /** The request in the drawer. */
    log: uuid,
  }),
);
export type LogSearch = SearchOf<typeof LogSearch>;

const notOf = {
  user: "notUser",
  key: "notKey",
  provider: "notProvider",
  model: "notModel",
  session: "notSession",
  group: "notGroup",
  dialect: "notDialect",
  state: "notState",
  status: "notStatus",
} as const;

/** The fields that a filter can use, in the order of the chips. */
export const fields = [
  "user",
  "key",
  "provider",
  "model",
  "session",
  "group",
  "dialect",
  "state",
  "status",
  "attempts",
  "request",
] as const;
export type FilterField = (typeof fields)[number];

/** Whether the field also supports exclusion. */
export function canExclude(field: FilterField): field is keyof typeof notOf {
  return field in notOf;
}

/** One condition, as a chip shows it. */
export interface Condition {
  field: FilterField;
  value: string;
  not: boolean;
}

/** All conditions of the address except the time. */
export function conditionsOf(search: LogSearch): Condition[] {
  return fields.flatMap((field) => {
    const value = search[field];
    const is = value ? [{ field, value: String(value), not: false }] : [];
    return [...is, ...excluded(search, field).map((one) => ({ field, value: one, not: true }))];
  });
}

function excluded(search: LogSearch, field: FilterField): string[] {
  const listed = canExclude(field) ? search[notOf[field]] : undefined;
  const readable = field === "user" || field === "key" || field === "provider" ? anyId : anyName;
  return listed ? listed.split(",").flatMap((one) => readable(decoded(one)) || []) : [];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The change of the address that adds a condition and removes those that contradict it. */
export function adding(search: LogSearch, { field, value, not }: Condition): Partial<LogSearch> {
  const others = excluded(search, field).filter((one) => one !== value);
  if (not) return { ...(String(search[field] ?? "") === value && { [field]: undefined }), ...leavingOut(field, [...others, value]) };
  return { [field]: field === "attempts" ? Number(value) : value, ...leavingOut(field, others) };
}

/** The change that removes a condition. */
export function removing(search: LogSearch, { field, value, not }: Condition): Partial<LogSearch> {
  return not
    ? leavingOut(
        field,
        excluded(search, field).filter((one) => one !== value),
      )
    : { [field]: undefined };
}

function leavingOut(field: FilterField, values: readonly string[]): Partial<LogSearch> {
  if (!canExclude(field)) return {};
  return { [notOf[field]]: values.length > 0 ? values.map(encodeURIComponent).join(",") : undefined };
}

/** The change that removes all conditions. */
export const clearing: Partial<LogSearch> = Object.fromEntries([...fields, ...Object.values(notOf)].map((name) => [name, undefined]));

/** Whether the page shows a range that has ended. */
export function isHistory({ to }: LogSearch): boolean {
  return to !== undefined;
}

/** The filter for the server and for matching live rows. */
export function filterOf(search: LogSearch, nowMs: number): LogFilter {
  const known = <T extends string>(field: FilterField, values: readonly T[]): T[] | undefined =>
    some(excluded(search, field).filter((one): one is T => values.includes(one as T)));
  return dropEmpty({
    userId: search.user,
    keyId: search.key,
    providerId: search.provider,
    model: search.model,
    sessionId: search.session,
    group: search.group,
    dialect: search.dialect,
    state: search.state,
    statusClass: search.status,
    minAttempts: search.attempts,
    requestId: search.request,
    notUserId: some(excluded(search, "user")),
    notKeyId: some(excluded(search, "key")),
    notProviderId: some(excluded(search, "provider")),
    notModel: some(excluded(search, "model")),
    notSessionId: some(excluded(search, "session")),
    notGroup: some(excluded(search, "group")),
    notDialect: known("dialect", dialects),
    notState: known("state", states),
    notStatusClass: known("status", statuses),
    fromMs: startOf(search, nowMs),
    toMs: search.to,
  });
}

function some<T>(values: T[]): T[] | undefined {
  return values.length > 0 ? values.slice(0, 20) : undefined;
}

function dropEmpty<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined && one !== "")) as T;
}

/** Whether anything narrows the list. */
export function isFiltered(search: LogSearch): boolean {
  return conditionsOf(search).length > 0 || search.from !== undefined || search.to !== undefined;
}

/** Identifies a feed: everything except the drawer. */
export function feedKey(search: LogSearch): string {
  // Parsed again to get the fields in a fixed order, whatever the address's.
  return JSON.stringify({ ...LogSearch.parse(search), log: undefined });
}

/** The next narrower or wider relative range; a fixed one moves by its own length. */
export function shifted(search: LogSearch, step: 1 | -1): Partial<LogSearch> {
  const { from, to } = search;
  if (typeof from === "number" && to !== undefined) {
    const length = (to - from) * step;
    return { from: from + length, to: to + length };
  }
  const all = [...ranges, undefined];
  const at = all.indexOf(from as (typeof ranges)[number] | undefined);
  return { from: all[Math.min(all.length - 1, Math.max(0, (at < 0 ? all.length - 1 : at) + step))], to: undefined };
}
