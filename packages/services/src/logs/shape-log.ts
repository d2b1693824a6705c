import { SluiceError } from "@sluice/core/errors";
import type { Audience } from "@sluice/core/events";
import type { LogFilter } from "@sluice/core/inputs/log";
import type { RequestDetail, RequestRow } from "@sluice/core/requests";
import { shapeRow } from "@sluice/live/shaping";
import { rowScope } from "../access.ts";
import type { Ctx } from "../context.ts";

/** The audience that a list is shaped for. */
export function audienceOf(ctx: Ctx): Audience {
  const { userId, keyId } = rowScope(ctx);
  return userId === null ? { kind: "admin" } : { kind: "user", userId, ...(keyId !== null && { keyId }) };
}

/** The same scope for the ledger's statements. */
export function storedScope(ctx: Ctx): { userId: string | undefined; keyId: string | undefined } {
  const { userId, keyId } = rowScope(ctx);
  return { userId: userId ?? undefined, keyId: keyId ?? undefined };
}

/** Filtering by a hidden field would reveal it. @throws SluiceError `forbidden` when a user filters by provider. */
export function refuseHidden(ctx: Ctx, filter: LogFilter): void {
  if (rowScope(ctx).userId === null) return;
  for (const field of ["providerId", "notProviderId"] as const)
    if (filter[field] !== undefined) throw new SluiceError("forbidden", { field: `filter.${field}` });
}

/** Rows as the audience may see them, without those of other people. */
export function shapeRows(audience: Audience, rows: readonly RequestRow[]): RequestRow[] {
  return rows.flatMap((row) => shapeRow(audience, row) ?? []);
}

/** The details: users see the outcome, but no providers, their costs or internal failures. */
export function shapeDetail(audience: Audience, detail: RequestDetail | null): RequestDetail | null {
  if (audience.kind === "admin" || detail === null) return detail;
  return {
    ...detail,
    decision: { candidates: [], excluded: [], chosenBy: "none" },
    attempts: detail.attempts.map(({ credential: _credential, rule: _rule, ...attempt }) => ({
      ...attempt,
      providerId: "",
      upstreamModel: "",
      upstreamCostNanoUsd: "0",
    })),
    error: detail.error && { ...detail.error, detail: "" },
  };
}
