import { ListQuarantineInput } from "@sluice/core/inputs/quarantine";
import type { z } from "zod";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import { type QuarantinedView, type QuarantinePage, quarantineColumns } from "./quarantine-view.ts";

const conditions = {
  waiting: "q.released_at IS NULL AND q.dismissed_at IS NULL",
  released: "q.released_at IS NOT NULL",
  dismissed: "q.released_at IS NULL AND q.dismissed_at IS NOT NULL",
} as const;

/** Ledger records that Postgres refused, newest first, without their content. */
export async function listQuarantine(ctx: Ctx, input: z.input<typeof ListQuarantineInput> = {}): Promise<QuarantinePage> {
  requireAccess(ctx.actor, "admin");
  const { cursor, limit, state } = parse(ListQuarantineInput, input);
  const { rows } = await ctx.pool.query<QuarantinedView>(
    `SELECT ${quarantineColumns} FROM ledger_quarantine q
     WHERE ($1::uuid IS NULL OR (q.created_at, q.id) < (SELECT c.created_at, c.id FROM ledger_quarantine c WHERE c.id = $1))
       ${state ? `AND ${conditions[state]}` : ""}
     ORDER BY q.created_at DESC, q.id DESC LIMIT $2`,
    [cursor ?? null, limit + 1],
  );
  const items = rows.slice(0, limit);
  const hasMore = rows.length > limit;
  return { items, nextCursor: hasMore ? (items.at(-1)?.id ?? null) : null, hasMore };
}
