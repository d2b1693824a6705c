import { describe, expect, it } from "vitest";
import { PriceTableError, readPriceTable } from "./litellm-prices.ts";

const entry = (fields: string): string =>
  `{"m": {"litellm_provider": "anthropic", "mode": "chat", "output_cost_per_token": 0.000015, ${fields}}}`;

describe("a price table in LiteLLM's form", () => {
  it.each([
    ["3e-06", "3"],
    ["0.000003", "3"],
    ["1.25e-06", "1.25"],
    ["7.5e-08", "0.075"],
    ["1.1e-7", "0.11"],
    ["0.00000000123", "0.00123"],
    ["1E-05", "10"],
    ["0", "0"],
    ["0.0", "0"],
    ["6.000e-06", "6"],
    ["2", "2000000"],
    ['"0.0000025"', "2.5"],
    // Doubles would give 0.30000000000000004 and 1.2000000000000002.
    ["3e-07", "0.3"],
    ["1.2e-06", "1.2"],
  ])("%s a token is %s a million", (text, wanted) => {
    const read = (): string | undefined => readPriceTable(entry(`"input_cost_per_token": ${text}`)).prices[0]?.inputPerMTok;
    // A price must not have seven digits before the decimal point.
    if (wanted === "2000000") expect(read).toThrow(PriceTableError);
    else expect(read()).toBe(wanted);
  });

  it("keeps absent cache prices absent, and takes those there are", () => {
    const cache = `"cache_creation_input_token_cost": 3.75e-06, "cache_creation_input_token_cost_above_1hr": 6e-06, "cache_read_input_token_cost": null, "max_output_tokens": 64000`;
    expect(readPriceTable(entry(`"input_cost_per_token": 3e-06, ${cache}`)).prices).toEqual([
      {
        model: "m",
        inputPerMTok: "3",
        outputPerMTok: "15",
        cacheWrite5mPerMTok: "3.75",
        cacheWrite1hPerMTok: "6",
        cacheReadPerMTok: null,
        maxOutputTokens: 64_000,
      },
    ]);
  });

  it("leaves out what is not priced here, and says why", () => {
    const of = (litellm_provider: string, mode: string, fields: object = {}): object => ({
      litellm_provider,
      mode,
      input_cost_per_token: 1e-6,
      output_cost_per_token: 2e-6,
      ...fields,
    });
    const table = {
      sample_spec: of("one of https://docs.litellm.ai/docs/providers", "one of: chat, embedding"),
      "gpt-x": of("openai", "chat"),
      "gemini/gemini-x": of("gemini", "chat"),
      "gemini-x": of("gemini", "chat"),
      "vertex_ai/gemini-y": of("vertex_ai-language-models", "chat"),
      "dall-e": of("openai", "image_generation"),
      "embed-x": of("openai", "embedding", { output_cost_per_token: undefined }),
      nothing: of("openai", "chat", { input_cost_per_token: undefined }),
      negative: of("openai", "chat", { input_cost_per_token: -1e-6 }),
      text: of("openai", "chat", { input_cost_per_token: "free" }),
      fine: of("openai", "chat", { input_cost_per_token: 1.23456e-13 }),
      "two\nlines": of("openai", "chat"),
      list: [],
      number: 1,
    };
    const { prices, skipped } = readPriceTable(JSON.stringify(table));
    expect(prices.map(({ model, outputPerMTok }) => [model, outputPerMTok])).toEqual([
      ["gpt-x", "2"],
      ["gemini-x", "2"],
      ["embed-x", "0"],
    ]);
    expect(skipped).toEqual({
      provider: ["sample_spec", "vertex_ai/gemini-y", "list", "number"],
      mode: ["dall-e"],
      no_price: ["nothing"],
      bad_number: ["negative", "text"],
      too_fine: ["fine"],
      name: ["two\nlines"],
      duplicate: ["gemini-x"],
    });
  });

  it.each([
    ['{\n  "a": ,\n}', "not_json"],
    ["", "not_json"],
    ["<html>", "not_json"],
    ["[1]", "not_a_table"],
    ["null", "not_a_table"],
    ["{}", "nothing_priced"],
    [`${"[".repeat(100_000)}`, "not_json"],
  ])("refuses what is none (case %#)", (text, reason) => {
    expect(() => readPriceTable(text)).toThrow(expect.objectContaining({ reason }));
  });

  it("names the line of a mistake", () => {
    expect(() => readPriceTable('{\n  "a": 1,\n  "b" 2\n}')).toThrow(expect.objectContaining({ line: 3 }));
  });
});
