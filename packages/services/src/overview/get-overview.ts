import { cached } from "@sluice/cache/cached";
import { SluiceError } from "@sluice/core/errors";
import { GetOverviewInput } from "@sluice/core/inputs/overview";
import { copiedColumns, countRow, type Overview, RECENT_MS } from "@sluice/core/overview";
import { type OverviewSplit, overviewSplits } from "@sluice/core/overview-range";
import { DAY_MS } from "@sluice/core/time-zone";
import { shapeRow } from "@sluice/live/shaping";
import type { z } from "zod";
import { cacheScope, ownScope, requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import { type OverviewAsk, type OverviewSums, planOverview, readFollowing, readOverview, readSettledSeq } from "./read-overview.ts";

/**
 * Today so far and yesterday, in the configured time zone; series and top lists of a range; current activity. Rollups and unsettled
 * requests together make it exact: each event after `busId` is either not included yet or named in `counted`. The sums are cached for up
 * to a minute and newer rows added to them, so that many viewers cost one read.
 * @throws SluiceError `forbidden` when a user asks for a split they must not see.
 */
export async function getOverview(ctx: Ctx, input: z.input<typeof GetOverviewInput> = {}): Promise<Overview> {
  requireAccess(ctx.actor, "user");
  const { range, by } = parse(GetOverviewInput, input);
  const userId = ownScope(ctx);
  const splits: readonly OverviewSplit[] = userId === null ? overviewSplits : ["model", "key"];
  if (!splits.includes(by)) throw new SluiceError("forbidden", { field: "by" });
  // In this order: position, registry, tables. A change during the read is then seen twice, never missed.
  const busId = await ctx.live.bus.position();
  const rows = (await ctx.live.registry.list()).flatMap((row) => shapeRow(audienceOf(userId), row) ?? []);
  const [settledSeq, allSessions] = await Promise.all([readSettledSeq(ctx.pool), ctx.live.sessions.list()]);
  const nowMs = ctx.clock.now();
  const { settings } = ctx.snapshot.current();
  const zone = settings["time.zone"];
  const fineFromMs = nowMs - settings["retention.fiveMinuteDays"] * DAY_MS;
  const plan = planOverview(nowMs, { zone, range, fineFromMs });
  const sinceMs = nowMs - RECENT_MS;
  const kept = await keptSums(ctx, { plan, by, splits, userId, sinceMs }, settledSeq);
  const ids = rows.map(({ id }) => id);
  // If nothing was settled since, and nothing can have been, the query is skipped.
  const isAll = ids.length === 0 && settledSeq === kept.settledSeq;
  const following = isAll ? noFollowing : await readFollowing(ctx.pool, ctx.tenantId, { userId, ids, settledSeq: kept.settledSeq });
  const settled = new Set(following.settled);
  for (const { id, endedMs } of kept.ended) if (endedMs === null || endedMs >= sinceMs) settled.add(id);
  for (const { id, correctsId, startedAtMs, durationMs } of following.rows)
    if (correctsId !== null || startedAtMs + (durationMs ?? 0) >= sinceMs) settled.add(id);
  // A lost request counts as neither: recovery will end it.
  const ended = rows.filter(({ state }) => state !== "in_flight" && state !== "lost");
  // Counting modifies the sums, so the cached ones are copied first.
  const sums = following.rows.length + ended.length > 0 ? copied(kept) : kept;
  const overview: Overview = {
    ...{ range, by, zone, busId, serverNowMs: nowMs },
    sessions: allSessions.filter((row) => userId === null || row.userId === userId).map(({ id }) => id),
    ...{ day: { ...plan.day, today: sums.today }, yesterday: sums.yesterday },
    ...{ times: plan.times, endMs: plan.endMs, series: sums.series, top: sums.top, used: sums.used },
    inFlight: rows.filter(({ state, id }) => state === "in_flight" && !settled.has(id)).map(({ id }) => id),
    counted: [...new Set([...settled, ...ended.map(({ id }) => id)])],
  };
  for (const row of following.rows) countRow(overview, row);
  for (const row of ended) if (!settled.has(row.id)) countRow(overview, row);
  return overview;
}

const noFollowing: Awaited<ReturnType<typeof readFollowing>> = { rows: [], settled: [] };

/** Rows counted individually on top of cached sums; after this many settled rows the sums are computed again. */
const MOST_FOLLOWING = 500;

/** The sums, which viewers share for a while; each read adds what was settled since. */
async function keptSums(ctx: Ctx, ask: OverviewAsk, settledSeq: string): Promise<OverviewSums> {
  const { plan, by } = ask;
  const era = Math.floor(Number(settledSeq) / MOST_FOLLOWING);
  const input = { by, range: plan.range, times: [plan.times[0], plan.endMs, plan.day.startMs, plan.day.endMs], era };
  const { value } = await cached(ctx, "dashboard:overview", { scope: cacheScope(ctx), input }, () =>
    readOverview(ctx.pool, ctx.tenantId, ask),
  );
  return value;
}

/** Copies only what counting modifies, which is much faster than a deep clone. */
function copied(kept: OverviewSums): OverviewSums {
  const { today, yesterday, series, top } = kept;
  const lists = Object.entries(top).map(([split, entries]) => [split, entries.map((entry) => ({ ...entry }))]);
  return {
    ...kept,
    today: { ...today },
    yesterday: { ...yesterday, ...copiedColumns(yesterday) },
    series: series.map((one) => ({ id: one.id, ...copiedColumns(one) })),
    top: Object.fromEntries(lists),
  };
}

function audienceOf(userId: string | null): Parameters<typeof shapeRow>[0] {
  return userId === null ? { kind: "admin" } : { kind: "user", userId };
}
