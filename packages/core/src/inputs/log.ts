import { z } from "zod";

/** Exact-match filters of the logs; empty = no filter. The browser applies the same rules to live rows. */
export const LogFilter = z.strictObject({
  userId: z.string().max(64).optional(),
  keyId: z.string().max(64).optional(),
  providerId: z.string().max(64).optional(),
  model: z.string().max(200).optional(),
  sessionId: z.string().max(200).optional(),
  dialect: z.enum(["anthropic", "openai", "gemini"]).optional(),
  state: z.enum(["in_flight", "done", "error", "aborted", "refused"]).optional(),
  statusClass: z.enum(["2xx", "4xx", "5xx"]).optional(),
  requestId: z.uuid().optional(),
  fromMs: z.int().nonnegative().optional(),
  toMs: z.int().nonnegative().optional(),
});
export type LogFilter = z.infer<typeof LogFilter>;

export const ListLogsInput = z.strictObject({
  filter: LogFilter.default({}),
  /** Rows older than this id; absent = the newest. */
  before: z.uuid().optional(),
  limit: z.int().min(1).max(200).default(50),
});
export type ListLogsInput = z.infer<typeof ListLogsInput>;
