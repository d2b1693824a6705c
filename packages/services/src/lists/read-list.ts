import type { Recent } from "@sluice/core/statistics";
import { readSnapshot } from "@sluice/db/read-snapshot";
import type { QueryResultRow } from "pg";
import type { Ctx } from "../context.ts";
import { planSettings } from "../statistics/plan-settings.ts";
import { awaitSettled, readRecent, recentAsk } from "../statistics/recent-ends.ts";

interface Statement {
  text: string;
  values: unknown[];
}

/** Reads the rows of a list; with totals also the recent ends that these include, for readers that then apply events. */
export async function readList<R extends QueryResultRow>(
  ctx: Ctx,
  { text, values }: Statement,
  withTotals: boolean,
): Promise<{ rows: R[]; recent?: Recent }> {
  if (!withTotals) return { rows: (await ctx.pool.query<R>(text, values)).rows };
  const ask = recentAsk(ctx, await awaitSettled(ctx));
  return readSnapshot(ctx.pool, planSettings, async (client) => {
    const { rows } = await client.query<R>(text, values);
    return { rows, recent: await readRecent(client, ask) };
  });
}

/** Reads the rows of a page, and how many there are on all pages. */
export async function readCountedList<R extends QueryResultRow>(
  { pool }: Ctx,
  page: Statement,
  count: Statement,
): Promise<{ rows: R[]; total: number }> {
  const [{ rows }, counted] = await Promise.all([
    pool.query<R>(page.text, page.values),
    pool.query<{ total: number }>(count.text, count.values),
  ]);
  return { rows, total: counted.rows[0]?.total ?? 0 };
}
