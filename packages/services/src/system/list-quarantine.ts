import { PageInput } from "@sluice/core/inputs/page";
import type { z } from "zod";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import type { QuarantinedRecord, QuarantinePage } from "./system-view.ts";

/** Records of the ledger that PostgreSQL refused, newest first. Their content stays where it is: it may be anything. */
export async function listQuarantine(ctx: Ctx, input: z.input<typeof PageInput> = {}): Promise<QuarantinePage> {
  requireAccess(ctx.actor, "admin");
  const { cursor, limit } = parse(PageInput, input);
  const { rows } = await ctx.pool.query<QuarantinedRecord>(
    `SELECT id, request_id AS "requestId", left(reason, 500) AS reason, length(payload) AS "sizeBytes",
       (extract(epoch FROM created_at) * 1000)::float8 AS "atMs", (extract(epoch FROM released_at) * 1000)::float8 AS "releasedAtMs"
     FROM ledger_quarantine WHERE $1::uuid IS NULL OR id < $1 ORDER BY id DESC LIMIT $2`,
    [cursor ?? null, limit + 1],
  );
  const items = rows.slice(0, limit);
  const hasMore = rows.length > limit;
  return { items, nextCursor: hasMore ? (items.at(-1)?.id ?? null) : null, hasMore };
}
