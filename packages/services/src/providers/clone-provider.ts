import { uuidField } from "@sluice/core/inputs/uuid";
import { z } from "zod";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { toLimitInput } from "../limits/limits-view.ts";
import { parse } from "../parse.ts";
import { type TxCtx, withTransaction } from "../transaction.ts";
import { lockProvider, lockProviderNames } from "./change-provider.ts";
import { insertProvider } from "./create-provider.ts";
import { type OpenedSecrets, openProvider } from "./provider-secrets.ts";
import type { ProviderView } from "./provider-view.ts";
import { toProviderConfig } from "./stored-provider.ts";
import { toProviderView } from "./to-provider-view.ts";

export const CloneProviderInput = z.strictObject({ id: uuidField });

const LONGEST_NAME = 80;

/** A copy with the same secret and another name. It starts disabled, since a clone is usually edited first. */
export async function cloneProvider(ctx: Ctx, input: z.input<typeof CloneProviderInput>): Promise<ProviderView> {
  requireAccess(ctx.actor, "admin");
  const { id } = parse(CloneProviderInput, input);
  return withTransaction(ctx, async (ctx) => {
    await lockProviderNames(ctx);
    const row = await lockProvider(ctx, id);
    const provider = toProviderConfig(row);
    const opened = openProvider(ctx, provider);
    const view = toProviderView(provider, opened);
    const { id: _id, secretTail: _tail, override: _override, createdAtMs: _created, costResetAtMs: _reset, ...fields } = view;
    const wanted = { ...fields, ...toLimitInput(row), name: await freeName(ctx, row.name), enabled: false, ...secretInputs(view, opened) };
    return insertProvider(ctx, wanted, "provider.clone");
  });
}

function secretInputs({ credentials }: ProviderView, opened: OpenedSecrets) {
  return {
    secret: opened.secret,
    credentials: credentials.map(({ label, weight }) => ({ label, weight, secret: opened.credentials.get(label) })),
    proxy: opened.proxy || null,
  };
}

/** "main" → "main (2)", "main (3)", … */
async function freeName(ctx: TxCtx, name: string): Promise<string> {
  const stem = name.replace(/ \(\d+\)$/, "");
  const alike = await ctx.transaction.tx.provider.findMany({
    where: { tenantId: ctx.tenantId, deletedAt: null, name: { startsWith: stem.slice(0, LONGEST_NAME - 6) } },
    select: { name: true },
  });
  const taken = new Set(alike.map((each) => each.name));
  for (let number = 2; ; number++) {
    const ending = ` (${number})`;
    const wanted = stem.slice(0, LONGEST_NAME - ending.length) + ending;
    if (!taken.has(wanted)) return wanted;
  }
}
