import { SluiceError } from "@sluice/core/errors";
import type { Settings } from "@sluice/core/inputs/settings";
import { numberedPage } from "@sluice/core/inputs/sorted-page";
import { GetLeaderboardInput } from "@sluice/core/inputs/statistics";
import { FIVE_MINUTES_MS } from "@sluice/core/overview";
import type { Answer, Leaderboard, LeaderboardEntry, Span, StatisticsStep } from "@sluice/core/statistics";
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

/**
 * The most used items of a period, with their share of the total and their rank in the period before. Users get their own keys and
 * models, holders of a key those of the key; what a user sees of other users is up to the setting `portal.leaderboard`.
 * @throws SluiceError `forbidden` when a user asks for providers, or the holder of a key for users.
 */
export async function getLeaderboard(ctx: Ctx, input: z.input<typeof GetLeaderboardInput>): Promise<Answer<Leaderboard>> {
  requireAccess(ctx.actor, "key");
  const { of, sort, limit, page, ...asked } = parse(GetLeaderboardInput, input);
  const { userId, keyId } = rowScope(ctx);
  if (userId !== null && (of === "providers" || (of === "users" && keyId !== null))) throw new SluiceError("forbidden", { field: "of" });
  const others = userId !== null && of === "users" ? ctx.snapshot.current().settings["portal.leaderboard"] : null;
  const zone = zoneOf(ctx, asked.zone);
  const { span, previous } = periodOf(ctx, { ...asked, zone });
  const question = { others, of, sort, period: asked.period, span, previous, zone, limit, page };
  const own = await sumsAsk(ctx, {});
  // All users are ranked, even for readers who see the others without names.
  const ask = others === null || others === "own" ? own : { ...own, userId: null };
  return answered(ctx, "leaderboard:list", question, async () => {
    const board = { of, sort, span, previous, ask, limit, page, fineFromMs: fineFrom(ctx) };
    const { items: all, total, revoked } = await readLeaderboard(ctx.pool, board);
    const items = others === null ? all : all.map((entry) => (entry.id === userId ? entry : withoutOwner(entry, others)));
    return { of, sort, period: asked.period, zone, span, previous, revoked, ...numberedPage(items, total, { page, pageSize: limit }) };
  });
}

/** Another user as users see them: never with the id. */
function withoutOwner(entry: LeaderboardEntry, others: Settings["portal.leaderboard"]): LeaderboardEntry {
  return { ...entry, id: "", name: others === "names" ? entry.name : null };
}

const steps = { today: "day", week: "week", month: "month" } as const satisfies Record<string, StatisticsStep>;

type AskedPeriod = Pick<z.output<typeof GetLeaderboardInput>, "period" | "from" | "to"> & { zone: string };

/** The requested period and the one before; both consist of whole buckets. */
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
