import { z } from "zod";
import { atMs, count, nanoUsd, usd } from "./fields.ts";

/** The limits of a key or user. */
export const limitFields = {
  rpm: count.nullable().optional(),
  tpm: count.nullable().optional(),
  inFlight: count.nullable().optional(),
  cost5hUsd: usd.nullable().optional(),
  costDayUsd: usd.nullable().optional(),
  costWeekUsd: usd.nullable().optional(),
  costMonthUsd: usd.nullable().optional(),
  costTotalUsd: usd.nullable().optional(),
  costResetAtMs: atMs.nullable().optional(),
};

export const policies = z
  .object({
    models: z.array(z.string()).optional(),
    allowedClients: z.array(z.string()).optional(),
    blockedClients: z.array(z.string()).optional(),
    addresses: z.array(z.string()).optional(),
    validDays: z.number().optional(),
  })
  .meta({ id: "Policies" });

export const totals = z
  .object({ requests: count, totalTokens: count, costNanoUsd: nanoUsd, lastUsedAtMs: atMs.nullable() })
  .meta({ id: "UsageTotals", description: "All-time usage, as far as it is settled." });
