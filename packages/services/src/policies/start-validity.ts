import { timeOfId } from "@sluice/core/ids";
import { DAY_MS } from "@sluice/core/time-zone";
import type { Config } from "@sluice/snapshot/config";
import { audit } from "../audit.ts";
import type { Ctx } from "../context.ts";
import { bumpConfigVersion, emit, type TxCtx, withTransaction } from "../transaction.ts";

/** The first request of each owner that was not refused, by index; ids begin with their time. */
const firstUseSql = (column: "key_id" | "user_id") => `
  SELECT owner.id, first.id AS "firstId" FROM unnest($1::text[]) AS owner(id)
  CROSS JOIN LATERAL (SELECT r.id FROM requests r WHERE r.${column} = owner.id AND r.state <> 'refused' ORDER BY r.id LIMIT 1) AS first`;

/**
 * Sets the expiry of keys and users that are valid for a number of days from their first request, once they made it. The snapshot knows
 * which are waiting, so no query runs while none is. The hot path sees an ordinary expiry.
 */
export async function startValidity(ctx: Ctx): Promise<void> {
  const { keys, users } = waiting(ctx.snapshot.current());
  for (const [column, days] of [["key_id", keys] as const, ["user_id", users] as const]) {
    if (days.size === 0) continue;
    const { rows } = await ctx.pool.query<{ id: string; firstId: string }>(firstUseSql(column), [[...days.keys()]]);
    for (const { id, firstId } of rows) {
      const expiresAt = new Date(timeOfId(firstId) + (days.get(id) ?? 0) * DAY_MS);
      await (column === "key_id" ? endKey(ctx, id, expiresAt) : endUser(ctx, id, expiresAt));
    }
  }
}

function waiting({ keysBySha256, users }: Config) {
  const pending = (owners: Iterable<{ id: string; expiresAtMs?: number | null; policies?: { validDays?: number | undefined } | null }>) =>
    new Map(
      [...owners].flatMap(({ id, expiresAtMs, policies }) =>
        expiresAtMs == null && policies?.validDays ? [[id, policies.validDays]] : [],
      ),
    );
  return { keys: pending(keysBySha256.values()), users: pending(users.values()) };
}

/** Only if nobody set another expiry meanwhile. */
function endKey(ctx: Ctx, id: string, expiresAt: Date): Promise<void> {
  return withTransaction(ctx, async (ctx) => {
    const { tx } = ctx.transaction;
    const { count } = await tx.key.updateMany({ where: { id, expiresAt: null }, data: { expiresAt } });
    if (count === 0) return;
    const { userId } = await tx.key.findUniqueOrThrow({ where: { id }, select: { userId: true } });
    await auditExpiry(ctx, "key", id, expiresAt);
    emit(ctx, { type: "key.changed", id, userId });
  });
}

function endUser(ctx: Ctx, id: string, expiresAt: Date): Promise<void> {
  return withTransaction(ctx, async (ctx) => {
    const { count } = await ctx.transaction.tx.user.updateMany({ where: { id, expiresAt: null }, data: { expiresAt } });
    if (count === 0) return;
    await auditExpiry(ctx, "user", id, expiresAt);
    emit(ctx, { type: "user.changed", id, userId: id });
  });
}

async function auditExpiry(ctx: TxCtx, targetKind: "key" | "user", targetId: string, expiresAt: Date): Promise<void> {
  await audit(ctx, {
    ...{ action: `${targetKind}.update`, targetKind, targetId },
    before: { expiresAtMs: null },
    after: { expiresAtMs: expiresAt.getTime() },
  });
  bumpConfigVersion(ctx);
}
