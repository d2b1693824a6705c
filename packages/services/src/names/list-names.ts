import { cached } from "@sluice/cache/cached";
import { cacheScope, requireAccess, rowScope } from "../access.ts";
import type { Ctx } from "../context.ts";
import type { NamesView } from "./names-view.ts";

/** Far above what one installation has; for an unknown id, pages show the id. */
const MOST = 10_000;

/** Names of everything that rows may refer to, including what was since deleted or revoked. Users get only their own, a key only itself. */
export async function listNames(ctx: Ctx): Promise<NamesView> {
  requireAccess(ctx.actor, "key");
  const { value } = await cached(ctx, "userInfo:names", { scope: cacheScope(ctx), input: null }, () => readNames(ctx));
  return value;
}

/** The same, uncached: for rare readers that store the result, such as file exports. */
export async function readNames(ctx: Ctx): Promise<NamesView> {
  const { userId, keyId } = rowScope(ctx);
  const { tenantId } = ctx;
  const newest = { orderBy: { id: "desc" }, take: MOST } as const;
  const [providers, keys, users] = await Promise.all([
    userId === null ? ctx.prisma.provider.findMany({ where: { tenantId }, select: { id: true, name: true }, ...newest }) : [],
    ctx.prisma.key.findMany({
      where: { tenantId, ...(userId !== null && { userId }), ...(keyId !== null && { id: keyId }) },
      select: { id: true, name: true, userId: true },
      ...newest,
    }),
    keyId === null
      ? ctx.prisma.user.findMany({
          where: { tenantId, ...(userId !== null && { id: userId }) },
          select: { id: true, name: true, email: true },
          ...newest,
        })
      : [],
  ]);
  return { providers, keys, users };
}
