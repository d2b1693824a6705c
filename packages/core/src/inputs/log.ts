import { z } from "zod";
import { instantField } from "./instant.ts";
import { PageInput } from "./page.ts";
import { sameId, uuidField } from "./uuid.ts";

const id = z.string().max(64).overwrite(sameId);
const text = z.string().max(200);
const dialect = z.enum(["anthropic", "openai", "gemini"]);
const state = z.enum(["in_flight", "lost", "done", "error", "aborted", "refused"]);
const statusClass = z.enum(["2xx", "3xx", "4xx", "5xx", "aborted", "refused"]);

/** Excludes all of these values. */
const noneOf = <T extends z.ZodType>(value: T) => z.array(value).min(1).max(20).optional();

/**
 * Exact-match filters of the logs; empty = no filter. core/match-log applies the same rules to rows outside Postgres:
 * live ones in the browser, unsettled ones in the registry.
 */
export const LogFilter = z.strictObject({
  userId: id.optional(),
  keyId: id.optional(),
  providerId: id.optional(),
  model: text.optional(),
  sessionId: text.optional(),
  group: text.optional(),
  dialect: dialect.optional(),
  state: state.optional(),
  /** The class under which a request is summed (core/status-class), not merely its HTTP status. */
  statusClass: statusClass.optional(),
  notUserId: noneOf(id),
  notKeyId: noneOf(id),
  notProviderId: noneOf(id),
  notModel: noneOf(text),
  notSessionId: noneOf(text),
  notGroup: noneOf(text),
  notDialect: noneOf(dialect),
  notState: noneOf(state),
  notStatusClass: noneOf(statusClass),
  /** Minimum number of attempts. */
  minAttempts: z.int().min(1).max(100).optional(),
  requestId: uuidField.optional(),
  fromMs: instantField.optional(),
  toMs: instantField.optional(),
});
export type LogFilter = z.infer<typeof LogFilter>;

export const ListLogsInput = PageInput.extend({ filter: LogFilter.default({}) });
export type ListLogsInput = z.infer<typeof ListLogsInput>;
