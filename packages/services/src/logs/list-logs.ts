import { ListLogsInput } from "@sluice/core/inputs/log";
import { matchesLog } from "@sluice/core/match-log";
import type { RequestRow } from "@sluice/core/requests";
import { keptFromMs } from "@sluice/db/partitions";
import { listRequests, type RequestPage } from "@sluice/ledger/query";
import { shapeRow } from "@sluice/live/shaping";
import type { z } from "zod";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { noticeOutage } from "../outage.ts";
import { parse } from "../parse.ts";
import type { LogPage } from "./log-page.ts";
import { audienceOf, refuseHidden, shapeRows, storedScope } from "./shape-log.ts";

/**
 * A page of the log, newest first: the in-flight registry (read first, so that a row settled in between is in the table) united with the
 * ledger over the page's id range. Users see their own rows, without the providers. While Postgres is down, the page holds only what the
 * registry knows, and is marked `partial`.
 * @throws SluiceError `forbidden` when a user filters by provider.
 */
export async function listLogs(ctx: Ctx, input: z.input<typeof ListLogsInput> = {}): Promise<LogPage> {
  requireAccess(ctx.actor, "key");
  const { filter, cursor, limit } = parse(ListLogsInput, input);
  const before = cursor ?? undefined;
  refuseHidden(ctx, filter);
  const [scope, audience] = [storedScope(ctx), audienceOf(ctx)];
  // The position comes before both: changes during the read arrive over the bus again.
  const busId = await ctx.live.bus.position();
  const known = await ctx.live.registry.list({ before });
  const page = await listRequests(ctx.pool, { filter, before, limit, scope }).catch((thrown: unknown) => {
    if (!noticeOutage(ctx, thrown)) throw thrown;
    ctx.log.warn({ requestId: ctx.requestId, error: String(thrown) }, "the log was listed without Postgres");
    return null;
  });
  const unsettled = known.filter((row) => shapeRow(audience, row) !== null && matchesLog(row, filter));
  const { rows, next, searchedToMs } = unite(page ?? { rows: [], next: null, searchedToMs: null }, unsettled, limit);
  const items = shapeRows(audience, rows);
  const more = { nextCursor: next, hasMore: next !== null, searchedToMs };
  const kept = page && next === null ? await keptSince(ctx) : null;
  return { items, ...more, kept, partial: page === null, busId, serverNowMs: ctx.clock.now() };
}

/** Read only for the last page of the log. */
async function keptSince({ pool, snapshot }: Ctx): Promise<LogPage["kept"]> {
  const fromMs = await keptFromMs(pool);
  return fromMs === null ? null : { fromMs, days: snapshot.current().settings["retention.requestDays"] };
}

/** Both sources, limited to the ids that the table's page covers; for a row in both, the table wins. */
export function unite(page: RequestPage, unsettled: readonly RequestRow[], limit: number): RequestPage {
  const floor = page.next ?? "";
  const byId = new Map(unsettled.filter((row) => row.id >= floor).map((row) => [row.id, row]));
  for (const row of page.rows) byId.set(row.id, row);
  const rows = [...byId.values()].sort((a, b) => (a.id < b.id ? 1 : -1));
  if (rows.length <= limit) return { rows, next: page.next, searchedToMs: page.searchedToMs };
  const cut = rows.slice(0, limit);
  return { rows: cut, next: cut.at(-1)?.id ?? null, searchedToMs: null };
}
