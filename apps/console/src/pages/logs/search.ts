import type { LogFilter } from "@sluice/core/inputs/log";
import { z } from "zod/mini";

/** The state of the log page as its address carries it, so that every view can be shared. */
const text = z.catch(z.optional(z.string()), undefined);
const choice = <const T extends readonly [string, ...string[]]>(values: T) => z.catch(z.optional(z.enum(values)), undefined);
const time = z.catch(z.optional(z.coerce.number()), undefined);

export const ranges = ["15m", "1h", "24h", "7d", "30d"] as const;
export const dialects = ["anthropic", "openai", "gemini"] as const;
export const states = ["in_flight", "done", "error", "aborted", "refused"] as const;
export const statuses = ["2xx", "4xx", "5xx"] as const;

export const LogSearch = z.object({
  user: text,
  key: text,
  provider: text,
  model: text,
  session: text,
  dialect: choice(dialects),
  state: choice(states),
  status: choice(statuses),
  request: text,
  /** Relative, and kept relative; absent = all time. */
  range: choice(ranges),
  /** ms since the epoch. An end makes the page HISTORY. */
  from: time,
  to: time,
  /** The request in the drawer. */
  log: text,
});
export type LogSearch = z.infer<typeof LogSearch>;

/** The filters that show as chips, in their order. */
export const fields = ["user", "key", "provider", "model", "session", "dialect", "state", "status", "request"] as const;
export type FilterField = (typeof fields)[number];

const rangeMs: Record<(typeof ranges)[number], number> = {
  "15m": 900_000,
  "1h": 3_600_000,
  "24h": 86_400_000,
  "7d": 604_800_000,
  "30d": 2_592_000_000,
};

/** What the server and the live matching are asked for; a relative range is counted back from `nowMs`. */
export function filterOf(search: LogSearch, nowMs: number): LogFilter {
  return dropEmpty({
    userId: search.user,
    keyId: search.key,
    providerId: search.provider,
    model: search.model,
    sessionId: search.session,
    dialect: search.dialect,
    state: search.state,
    statusClass: search.status,
    requestId: search.request,
    fromMs: search.range ? Math.max(0, Math.floor(nowMs - rangeMs[search.range])) : search.from,
    toMs: search.range ? undefined : search.to,
  });
}

function dropEmpty<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined && one !== "")) as T;
}

/** Whether anything narrows the list. */
export function isFiltered(search: LogSearch): boolean {
  return fields.some((field) => search[field]) || Boolean(search.range || search.from || search.to);
}

/** What identifies a feed: everything but the drawer. */
export function feedKey(search: LogSearch): string {
  return JSON.stringify({ ...search, log: undefined });
}
