import { uuidField } from "@sluice/core/inputs/uuid";
import type { RequestRow } from "@sluice/core/requests";
import { rowsByIds } from "@sluice/ledger/query";
import { z } from "zod";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import { audienceOf, shapeRows } from "./shape-log.ts";

export const ListLogsByIdsInput = z.strictObject({ ids: z.array(uuidField).max(200) });

/** The current state of rows that a viewer still shows as in flight after a gap. Unknown ids and other people's requests are left out. */
export async function listLogsByIds(ctx: Ctx, input: z.input<typeof ListLogsByIdsInput>): Promise<RequestRow[]> {
  requireAccess(ctx.actor, "key");
  const { ids } = parse(ListLogsByIdsInput, input);
  const unsettled = await Promise.all(ids.map((id) => ctx.live.registry.find(id)));
  const byId = new Map(unsettled.flatMap((found) => (found ? [[found.row.id, found.row] as const] : [])));
  for (const row of await rowsByIds(ctx.pool, ids)) byId.set(row.id, row);
  const rows = [...byId.values()].sort((a, b) => (a.id < b.id ? 1 : -1));
  return shapeRows(audienceOf(ctx), rows);
}
