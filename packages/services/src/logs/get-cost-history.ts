import type { CostHistory, PriceVersion, RequestRow } from "@sluice/core/requests";
import { readCostHistory } from "@sluice/ledger/cost-history";
import { rowScope } from "../access.ts";
import type { Ctx } from "../context.ts";
import { toPriceView } from "../prices/to-price-view.ts";

/**
 * The corrections of a request's cost; null, without a query, if it has none. Users see what changed and why, but not by which price list
 * or person.
 */
export async function getCostHistory(ctx: Ctx, row: RequestRow): Promise<CostHistory | null> {
  if (!row.flags.includes("corrected")) return null;
  const stored = await readCostHistory(ctx.pool, row.id);
  if (!stored) return null;
  const isAdmin = rowScope(ctx).userId === null;
  const ids = stored.corrections.flatMap(({ fromPriceId, toPriceId }) => [fromPriceId, toPriceId]).filter((id) => id !== null);
  const versions = isAdmin ? await readVersions(ctx, ids) : new Map<string, PriceVersion>();
  const versionOf = (id: string | null): PriceVersion | null => (id === null ? null : (versions.get(id) ?? null));
  return {
    originalNanoUsd: stored.originalNanoUsd,
    corrections: stored.corrections.map(({ fromPriceId, toPriceId, cause, ...correction }) => ({
      ...correction,
      cause: cause && (isAdmin ? cause : { ...cause, actorId: "" }),
      fromPrice: versionOf(fromPriceId),
      toPrice: versionOf(toPriceId),
    })),
  };
}

async function readVersions(ctx: Ctx, ids: readonly string[]): Promise<Map<string, PriceVersion>> {
  const rows = await ctx.prisma.price.findMany({ where: { tenantId: ctx.tenantId, id: { in: [...new Set(ids)] } } });
  return new Map(
    rows
      .map(toPriceView)
      .map(({ id, createdAtMs, source, inputPerMTok, outputPerMTok }) => [id, { id, createdAtMs, source, inputPerMTok, outputPerMTok }]),
  );
}
