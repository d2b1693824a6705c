import { cached } from "@sluice/cache/cached";
import { SluiceError } from "@sluice/core/errors";
import { GetUserStatsInput } from "@sluice/core/inputs/statistics";
import type { Answer, UserStats } from "@sluice/core/statistics";
import { localDayOf, localInstant } from "@sluice/core/time-zone";
import type { z } from "zod";
import { cacheScope, ownScope, requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { type TotalsRow, totalsColumns, toUsageTotals } from "../lists/usage-totals.ts";
import { parse } from "../parse.ts";
import { movedBy, periodStart } from "../statistics/plan-buckets.ts";
import { readSpan } from "../statistics/read-usage.ts";
import { awaitSettled } from "../statistics/recent-ends.ts";
import { fineFrom, zoneOf } from "../statistics/statistics-ask.ts";

const totalsSql = `SELECT ${totalsColumns}, (SELECT coalesce(sum(amount_nano_usd), 0)::text FROM account_entries e
    WHERE e.user_id = t.user_id AND e.kind = 'refund') AS refunded
  FROM user_totals t WHERE t.tenant_id = $1 AND t.user_id = $2`;

/**
 * A user's usage since the beginning and in the calendar month; refunds are subtracted from the used credit.
 * @throws SluiceError `not_found`, the same for an unknown and for another user.
 */
export async function getUserStats(ctx: Ctx, input: z.input<typeof GetUserStatsInput> = {}): Promise<Answer<UserStats>> {
  requireAccess(ctx.actor, "user");
  const own = ownScope(ctx);
  const self = ctx.actor.kind === "user" ? ctx.actor.userId : undefined;
  const userId = parse(GetUserStatsInput, input).userId ?? self;
  if (userId === undefined || (own !== null && userId !== own)) throw new SluiceError("not_found", { field: "userId" });
  // Tagged by user, even for administrators who ask: a new account entry shows at once.
  const options = { scope: cacheScope(ctx), input: { userId }, tags: [`user:${userId}`] as const };
  const { value, ...when } = await cached(ctx, "userStats:one", options, async () => {
    await awaitSettled(ctx);
    const { rows } = await ctx.pool.query<TotalsRow & { refunded: string }>(totalsSql, [ctx.tenantId, userId]);
    const [row] = rows;
    if (!row) throw new SluiceError("not_found", { field: "userId" });
    const { requests, totalTokens, costNanoUsd, lastUsedAtMs } = toUsageTotals(row);
    const creditsUsedNanoUsd = (BigInt(costNanoUsd) - BigInt(row.refunded)).toString();
    const month = monthOf(ctx);
    const totals = await readSpan(ctx.pool, { tenantId: ctx.tenantId, userId, span: month, fineFromMs: fineFrom(ctx) });
    const since = { totalRequests: requests, totalTokens, creditsUsedNanoUsd, refundedNanoUsd: row.refunded, lastUsedAtMs };
    return { userId, ...since, month: { ...month, totals } };
  });
  return { ...value, ...when };
}

/** The current calendar month, in the configured zone. */
function monthOf(ctx: Ctx): { fromMs: number; toMs: number } {
  const zone = zoneOf(ctx, undefined);
  const first = periodStart(localDayOf(ctx.clock.now(), zone), "month");
  return { fromMs: localInstant(first, zone), toMs: localInstant(movedBy(first, "month", 1), zone) };
}
