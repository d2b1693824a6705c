import { z } from "zod";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import { toUserView } from "./to-user-view.ts";
import type { UserPage } from "./user-view.ts";

export const ListUsersInput = z.strictObject({ cursor: z.uuid().nullish(), limit: z.int().min(1).max(200).default(50) });

/** Users newest first, for administrators. */
export async function listUsers(ctx: Ctx, input: z.input<typeof ListUsersInput> = {}): Promise<UserPage> {
  requireAccess(ctx.actor, "admin");
  const { cursor, limit } = parse(ListUsersInput, input);
  const where = { tenantId: ctx.tenantId };
  const [rows, total] = await Promise.all([
    ctx.prisma.user.findMany({ where: { ...where, ...(cursor && { id: { lt: cursor } }) }, orderBy: { id: "desc" }, take: limit + 1 }),
    ctx.prisma.user.count({ where }),
  ]);
  const page = rows.slice(0, limit);
  return { rows: page.map(toUserView), next: rows.length > limit ? (page.at(-1)?.id ?? null) : null, total };
}
