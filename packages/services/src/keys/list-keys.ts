import { z } from "zod";
import { ownScope, requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import type { KeyPage } from "./key-view.ts";
import { keyInclude, toKeyView } from "./to-key-view.ts";

export const ListKeysInput = z.strictObject({
  userId: z.uuid().optional(),
  cursor: z.uuid().nullish(),
  limit: z.int().min(1).max(200).default(50),
});

/** Keys newest first; users see their own, whatever they ask for. */
export async function listKeys(ctx: Ctx, input: z.input<typeof ListKeysInput> = {}): Promise<KeyPage> {
  requireAccess(ctx.actor, "user");
  const { userId: wanted, cursor, limit } = parse(ListKeysInput, input);
  const userId = ownScope(ctx) ?? wanted;
  const where = { tenantId: ctx.tenantId, ...(userId && { userId }) };
  const [rows, total] = await Promise.all([
    ctx.prisma.key.findMany({
      where: { ...where, ...(cursor && { id: { lt: cursor } }) },
      orderBy: { id: "desc" },
      take: limit + 1,
      include: keyInclude,
    }),
    ctx.prisma.key.count({ where }),
  ]);
  const page = rows.slice(0, limit);
  return { rows: page.map(toKeyView), next: rows.length > limit ? (page.at(-1)?.id ?? null) : null, total };
}
