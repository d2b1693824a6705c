import { PriceInput } from "../inputs/price.ts";

/**
 * Price tables in the form of LiteLLM's `model_prices_and_context_window.json`: an object of models, each with its
 * provider, its mode and costs per token as JSON numbers (3e-06). Numbers are read from their text, so that 1.25e-06
 * is 1.25 USD per million tokens and never 1.2499999.
 */
export interface PriceTable {
  prices: PriceInput[];
  /** Skipped entries: names in the file by reason. */
  skipped: Partial<Record<SkipReason, string[]>>;
}

/**
 * provider: not one of the three dialects'; mode: not priced by text tokens; no_price: input or output is missing;
 * bad_number: negative or not a number; too_fine: more than 10 decimals per million; name: not a model name;
 * duplicate: the name appeared before.
 */
export type SkipReason = "provider" | "mode" | "no_price" | "bad_number" | "too_fine" | "name" | "duplicate";

/** Why a text is not a price table. `line` is 1-based, 0 when unknown. */
export class PriceTableError extends Error {
  readonly reason: "not_json" | "not_a_table" | "nothing_priced";
  readonly line: number;
  constructor(reason: PriceTableError["reason"], line = 0) {
    super(`no price table: ${reason}`);
    this.name = "PriceTableError";
    this.reason = reason;
    this.line = line;
  }
}

const providers: ReadonlySet<unknown> = new Set(["anthropic", "openai", "gemini"]);
const modes: ReadonlySet<unknown> = new Set(["chat", "responses", "embedding"]);

/** A JSON number as written in the file. */
interface NumberText {
  numberText: string;
}

/**
 * Reads a table. Unusable entries are skipped with a reason; a file without any usable entry is refused.
 * @throws PriceTableError
 */
export function readPriceTable(text: string): PriceTable {
  const table = parseKeepingNumbers(text);
  if (typeof table !== "object" || table === null || Array.isArray(table)) throw new PriceTableError("not_a_table");
  const prices = new Map<string, PriceInput>();
  const skipped: PriceTable["skipped"] = {};
  for (const [name, entry] of Object.entries(table)) {
    const read = readEntry(name, entry);
    if (typeof read === "object" && !prices.has(read.model)) {
      prices.set(read.model, read);
      continue;
    }
    const reason = typeof read === "string" ? read : "duplicate";
    const names = skipped[reason] ?? [];
    names.push(name.slice(0, 200));
    skipped[reason] = names;
  }
  if (prices.size === 0) throw new PriceTableError("nothing_priced");
  return { prices: [...prices.values()], skipped };
}

function parseKeepingNumbers(text: string): unknown {
  // The third argument is part of the language since ES2025, but not of the type definitions yet.
  const reviver = (_key: string, value: unknown, context?: { source?: string }): unknown =>
    typeof value === "number" ? ({ numberText: context?.source ?? String(value) } satisfies NumberText) : value;
  try {
    return JSON.parse(text, reviver) as unknown;
  } catch (thrown) {
    throw new PriceTableError("not_json", Number(/\(line (\d+)/.exec(String(thrown))?.[1] ?? 0));
  }
}

function readEntry(name: string, entry: unknown): PriceInput | SkipReason {
  if (typeof entry !== "object" || entry === null) return "provider";
  const fields = entry as Record<string, unknown>;
  if (!providers.has(fields.litellm_provider)) return "provider";
  if (!modes.has(fields.mode)) return "mode";
  if (!isPresent(fields.input_cost_per_token)) return "no_price";
  if (!isPresent(fields.output_cost_per_token) && fields.mode !== "embedding") return "no_price";
  const amount = (field: string): string | null => (isPresent(fields[field]) ? perMTok(fields[field]) : null);
  const wanted = {
    // LiteLLM prefixes the provider ("gemini/gemini-2.5-pro"); clients ask for the name without it.
    model: name.startsWith(`${String(fields.litellm_provider)}/`) ? name.slice(name.indexOf("/") + 1) : name,
    inputPerMTok: amount("input_cost_per_token"),
    outputPerMTok: amount("output_cost_per_token") ?? "0",
    cacheWrite5mPerMTok: amount("cache_creation_input_token_cost"),
    cacheWrite1hPerMTok: amount("cache_creation_input_token_cost_above_1hr"),
    cacheReadPerMTok: amount("cache_read_input_token_cost"),
    maxOutputTokens: countOf(fields.max_output_tokens),
  };
  if (Object.values(wanted).includes("")) return "bad_number";
  const checked = PriceInput.safeParse(wanted);
  if (checked.success) return checked.data;
  return checked.error.issues.some(({ path }) => path[0] === "model") ? "name" : "too_fine";
}

function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** A positive count as written in the file; null when it is not one. */
function countOf(value: unknown): number | null {
  const text = typeof value === "object" && value !== null && "numberText" in value ? Number(value.numberText) : Number.NaN;
  return Number.isSafeInteger(text) && text > 0 && text <= 100_000_000 ? text : null;
}

/** Converts a cost per token to USD per million by shifting the decimal point in the text; '' when it is not a number ≥ 0. */
function perMTok(value: unknown): string {
  const text = typeof value === "object" && value !== null && "numberText" in value ? String(value.numberText) : String(value);
  const match = /^(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?$/.exec(text);
  if (!match) return "";
  const [, whole = "", fraction = "", exponent = "0"] = match;
  const digits = whole + fraction;
  const point = whole.length + Number(exponent) + 6;
  const left = point > 0 ? digits.slice(0, point).padEnd(point, "0") : "0";
  const right = point >= digits.length ? "" : digits.slice(Math.max(0, point)).padStart(digits.length - point, "0");
  const decimals = right.replace(/0+$/, "");
  return `${left.replace(/^0+(?=\d)/, "")}${decimals && `.${decimals}`}`;
}
