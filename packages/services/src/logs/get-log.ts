import { setTimeout as sleep } from "node:timers/promises";
import { SluiceError } from "@sluice/core/errors";
import { timeOfId } from "@sluice/core/ids";
import { uuidField } from "@sluice/core/inputs/uuid";
import type { RequestDetail, RequestRow } from "@sluice/core/requests";
import { keptFromMs } from "@sluice/db/partitions";
import { getRequest } from "@sluice/ledger/query";
import { shapeRow } from "@sluice/live/shaping";
import { z } from "zod";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { noticeOutage } from "../outage.ts";
import { parse } from "../parse.ts";
import { getCostHistory } from "./get-cost-history.ts";
import type { LogEntry } from "./log-page.ts";
import { audienceOf, shapeDetail } from "./shape-log.ts";

/** Another instance shares the detail of what it has just finished after two seconds, unless it is in the table before. */
const MOST_WAIT_MS = 2_500;
const EVERY_MS = 50;

export const GetLogInput = z.strictObject({ id: uuidField });

/**
 * One request with its routing decision, attempts, cost and later corrections. The registry is read first: what leaves it meanwhile is in
 * the table.
 * @throws SluiceError `not_found`, the same for an unknown and for another user's request; `no_longer_kept` for any id from a time whose
 * rows were dropped.
 */
export async function getLog(ctx: Ctx, input: z.input<typeof GetLogInput>): Promise<LogEntry> {
  requireAccess(ctx.actor, "key");
  const { id } = parse(GetLogInput, input);
  // By the clock: a Postgres that hangs makes each look a long one.
  const untilMs = ctx.clock.monotonic() + MOST_WAIT_MS;
  let found = await find(ctx, id);
  while (found && isOver(found.row) && !found.detail && ctx.clock.monotonic() < untilMs) {
    await sleep(EVERY_MS);
    found = await find(ctx, id);
  }
  const audience = audienceOf(ctx);
  const row = found && shapeRow(audience, found.row);
  if (!row) throw new SluiceError(await notThere(ctx, id));
  return { row, detail: shapeDetail(audience, found?.detail ?? null), history: await getCostHistory(ctx, row) };
}

async function find(ctx: Ctx, id: string): Promise<{ row: RequestRow; detail: RequestDetail | null } | null> {
  const unsettled = await ctx.live.registry.find(id);
  const stored = await getRequest(ctx.pool, id).catch((thrown: unknown) => {
    if (!unsettled || !noticeOutage(ctx, thrown)) throw thrown;
    return null;
  });
  return stored ? { ...stored, detail: stored.detail ?? unsettled?.detail ?? null } : unsettled;
}

function isOver({ state }: RequestRow): boolean {
  return state !== "in_flight" && state !== "lost";
}

async function notThere({ pool }: Ctx, id: string): Promise<"not_found" | "no_longer_kept"> {
  return timeOfId(id) < ((await keptFromMs(pool)) ?? 0) ? "no_longer_kept" : "not_found";
}
