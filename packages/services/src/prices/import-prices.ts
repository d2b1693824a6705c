import { SluiceError } from "@sluice/core/errors";
import { ImportPricesInput } from "@sluice/core/inputs/price";
import { type PriceTable, PriceTableError, readPriceTable, type SkipReason } from "@sluice/core/pricing/litellm-prices";
import type { z } from "zod";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import { withTransaction } from "../transaction.ts";
import { isOwn, lockPrices, placePrices, planPrices } from "./place-prices.ts";
import type { PriceImport } from "./price-view.ts";

const NAMES_SHOWN = 20;

/**
 * Reads a price table in LiteLLM's format and reports what it would change; with `apply`, makes these changes: new versions for changed
 * models, first versions for new ones. Prices set by a person or the configuration file stay unless `replaceOwn`.
 * @throws SluiceError `invalid_request` that names the problem with the file and its line.
 */
export async function importPrices(ctx: Ctx, input: z.input<typeof ImportPricesInput>): Promise<PriceImport> {
  requireAccess(ctx.actor, "admin");
  const { text, replaceOwn, apply } = parse(ImportPricesInput, input);
  const table = read(text);
  return withTransaction(ctx, async (ctx) => {
    if (apply) await lockPrices(ctx);
    const plan = await planPrices(ctx, table.prices, (before) => replaceOwn || !isOwn(before));
    if (apply) await placePrices(ctx, plan, { action: "price.import", source: "import" });
    return { applied: apply, ...plan, skipped: summary(table) };
  });
}

const mistakes: Record<PriceTableError["reason"], string> = {
  not_json: "The file is not valid JSON",
  not_a_table: "The file is not an object of models",
  nothing_priced: "The file has no chat, responses or embedding model of Anthropic, OpenAI or Gemini with a price per token",
};

function read(text: string): PriceTable {
  try {
    return readPriceTable(text);
  } catch (thrown) {
    if (!(thrown instanceof PriceTableError)) throw thrown;
    const place = thrown.line > 0 ? ` (line ${thrown.line})` : "";
    throw new SluiceError("invalid_request", { message: `${mistakes[thrown.reason]}${place}.`, field: "text", cause: thrown });
  }
}

function summary({ skipped }: PriceTable): PriceImport["skipped"] {
  const entries = Object.entries(skipped) as [SkipReason, string[]][];
  return entries.map(([reason, names]) => ({ reason, count: names.length, names: names.slice(0, NAMES_SHOWN) }));
}
