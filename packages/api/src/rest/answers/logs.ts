import { z } from "zod";
import { atMs, count, cursorFields, idField, ms, nanoUsd } from "./fields.ts";

const usage = z
  .object({ input: count, output: count, cacheWrite5m: count, cacheWrite1h: count, cacheRead: count })
  .meta({ id: "TokenUsage", description: "Tokens by kind; the kinds never overlap." });

const dialect = z.enum(["anthropic", "openai", "gemini"]);
const endpoint = z.enum(["messages", "countTokens", "chat", "responses", "embeddings", "generateContent", "models"]);

const logRow = z
  .object({
    id: idField,
    userId: idField,
    keyId: idField,
    sessionId: z.string(),
    providerId: idField,
    group: z.string(),
    dialect,
    endpoint,
    stream: z.boolean(),
    model: z.string(),
    upstreamModel: z.string(),
    state: z.enum(["in_flight", "lost", "done", "error", "aborted", "refused"]),
    status: z.number().meta({ description: "HTTP status sent to the client; 0 while in flight." }),
    errorCode: z.string(),
    attempts: count,
    usage,
    flags: z.array(z.enum(["estimated", "partial", "recovered", "anomaly", "unpriced", "corrected"])),
    costNanoUsd: nanoUsd.nullable(),
    billable: z.boolean(),
    startedAtMs: atMs,
    ttftMs: ms.nullable(),
    durationMs: ms.nullable(),
    client: z.string(),
  })
  .meta({ id: "LogRow", description: "One request." });

export const logPage = z.object({
  items: z.array(logRow),
  ...cursorFields,
  searchedToMs: atMs.nullable().meta({ description: "How far back this page's unindexed search got; null: the page is complete." }),
  partial: z
    .boolean()
    .meta({ description: "True while the ledger cannot be read: only requests in flight or not yet settled are listed." }),
});

const attempt = z.object({
  providerId: idField,
  upstreamModel: z.string(),
  startedMs: ms,
  firstContentMs: ms.nullable(),
  endedMs: ms,
  status: z.number().nullable(),
  outcome: z.enum(["ok", "failed", "aborted", "hedge_lost"]),
  errorCode: z.string(),
  converted: z.string().optional(),
  upstreamCostNanoUsd: nanoUsd,
  usage,
});

const cost = z
  .object({
    input: z.string(),
    output: z.string(),
    cacheWrite5m: z.string(),
    cacheWrite1h: z.string(),
    cacheRead: z.string(),
    providerMultiplier: z.string(),
    groupMultiplier: z.string(),
  })
  .meta({ description: "Parts before multipliers, in nano-USD × 10⁹, and the multipliers." });

const detail = z.object({
  decision: z.object({
    candidates: z.array(z.object({ providerId: idField, priority: z.number(), weight: z.number() })),
    excluded: z.array(z.object({ providerId: idField, reason: z.string() })),
    chosenBy: z.string(),
  }),
  attempts: z.array(attempt),
  cost: cost.nullable(),
  error: z.object({ message: z.string(), detail: z.string() }).nullable(),
  userAgent: z.string(),
  clientIp: z.string(),
  path: z.string(),
  requestBytes: count,
  responseBytes: count,
  endReason: z.enum(["done", "eof", "timeout", "client_gone", "error"]),
});

const history = z.object({
  originalNanoUsd: nanoUsd.nullable(),
  corrections: z.array(
    z.object({
      id: idField,
      differenceNanoUsd: nanoUsd,
      cause: z.object({ reason: z.enum(["priced", "repriced"]), actorId: idField, atMs }).nullable(),
    }),
  ),
});

export const logEntry = z.object({ row: logRow, detail: detail.nullable(), history: history.nullable() });

const sessionRow = z
  .object({
    id: z.string(),
    userId: idField,
    keyId: idField,
    providerId: idField,
    model: z.string(),
    client: z.string(),
    startedAtMs: atMs,
    lastActivityAtMs: atMs,
    inFlight: count,
    requests: count,
    inputTokens: count,
    cacheTokens: count,
    outputTokens: count,
    costNanoUsd: nanoUsd,
  })
  .meta({ id: "Session", description: "An active session." });

export const sessionList = z.object({ rows: z.array(sessionRow), activeWindowSeconds: z.number() });

export const sessionDetail = z.object({
  row: sessionRow,
  sticky: z
    .object({ providerId: idField, sinceMs: atMs })
    .nullable()
    .meta({ description: "Where its next request goes first; for administrators." }),
});

export const modelList = z.array(z.string());
