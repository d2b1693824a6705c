import { SluiceError } from "@sluice/core/errors";
import { numberedPage } from "@sluice/core/inputs/sorted-page";
import { GetLeaderboardInput } from "@sluice/core/inputs/statistics";
import type { Answer, Leaderboard, Span, StatisticsStep } from "@sluice/core/statistics";
import { localDayOf, localInstant } from "@sluice/core/time-zone";
import type { z } from "zod";
import { requireAccess, rowScope } from "../access.ts";
import type { Ctx } from "../context.ts";
import { wholeHour } from "../overview/overview-statements.ts";
import { parse } from "../parse.ts";
import { answered } from "./answered.ts";
import { movedBy, periodStart } from "./plan-buckets.ts";
import { readLeaderboard } from "./read-leaderboard.ts";
import { fineFrom, sumsAsk, zoneOf } from "./statistics-ask.ts";

const FIVE_MINUTES_MS = 300_000;

/**
 * Who, or what, was used most in a period, with the share of all and the rank in the period before. Users get their own keys and models, who holds a key those of the key.
 * @throws SluiceError `forbidden` when a user asks for users or providers.
 */
export async function getLeaderboard(ctx: Ctx, input: z.input<typeof GetLeaderboardInput>): Promise<Answer<Leaderboard>> {
  requireAccess(ctx.actor, "key");
  const { of, sort, limit, page, ...asked } = parse(GetLeaderboardInput, input);
  const { userId } = rowScope(ctx);
  if (userId !== null && (of === "users" || of === "providers")) throw new SluiceError("forbidden", { field: "of" });
  const zone = zoneOf(ctx, asked.zone);
  const { span, previous } = periodOf(ctx, { ...asked, zone });
  const question = { of, sort, period: asked.period, span, previous, zone, limit, page };
  const ask = await sumsAsk(ctx, {});
  return answered(ctx, "leaderboard:list", question, async () => {
    const board = { of, sort, span, previous, ask, limit, page, fineFromMs: fineFrom(ctx) };
    const { items, total } = await readLeaderboard(ctx.pool, board);
    return { of, sort, period: asked.period, zone, span, previous, ...numberedPage(items, total, { page, pageSize: limit }) };
  });
}

const steps = { today: "day", week: "week", month: "month" } as const satisfies Record<string, StatisticsStep>;

type AskedPeriod = Pick<z.output<typeof GetLeaderboardInput>, "period" | "from" | "to"> & { zone: string };

/** What is counted, and the period before; both of whole buckets of sums. */
function periodOf(ctx: Ctx, { period, from = 0, to = 0, zone }: AskedPeriod): { span: Span | null; previous: Span | null } {
  if (period === "all") return { span: null, previous: null };
  const spanOf = (fromMs: number, toMs: number): Span => ({ fromMs: edge(ctx, fromMs), toMs: edge(ctx, toMs) });
  if (period === "custom") {
    const span = spanOf(from, Math.max(to, from + FIVE_MINUTES_MS));
    return { span, previous: spanOf(2 * span.fromMs - span.toMs, span.fromMs) };
  }
  const step = steps[period];
  const local = periodStart(localDayOf(ctx.clock.now(), zone), step);
  const at = (count: number): number => localInstant(movedBy(local, step, count), zone);
  return { span: spanOf(at(0), at(1)), previous: spanOf(at(-1), at(0)) };
}

function edge(ctx: Ctx, ms: number): number {
  return wholeHour(Math.floor(ms / FIVE_MINUTES_MS) * FIVE_MINUTES_MS, fineFrom(ctx));
}
