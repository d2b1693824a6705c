import type { Usage } from "../../requests.ts";
import type { JsonRecord } from "../json.ts";

/** Usage in Anthropic's terms: input excludes what was read from and written to the cache. */
export function anthropicUsage(usage: Usage): JsonRecord {
  const { cacheWrite5m, cacheWrite1h } = usage;
  return {
    input_tokens: usage.input,
    cache_creation_input_tokens: cacheWrite5m + cacheWrite1h,
    cache_read_input_tokens: usage.cacheRead,
    cache_creation: { ephemeral_5m_input_tokens: cacheWrite5m, ephemeral_1h_input_tokens: cacheWrite1h },
    output_tokens: usage.output,
  };
}

/** In OpenAI's terms the prompt includes the cached tokens, which are listed separately as well. */
function promptTokens({ input, cacheRead, cacheWrite5m, cacheWrite1h }: Usage): number {
  return input + cacheRead + cacheWrite5m + cacheWrite1h;
}

export function chatUsage(usage: Usage, reasoningTokens: number | null): JsonRecord {
  const prompt = promptTokens(usage);
  return {
    prompt_tokens: prompt,
    completion_tokens: usage.output,
    total_tokens: prompt + usage.output,
    prompt_tokens_details: { cached_tokens: usage.cacheRead, cache_write_tokens: usage.cacheWrite5m + usage.cacheWrite1h },
    completion_tokens_details: { reasoning_tokens: reasoningTokens ?? 0 },
  };
}

export function responsesUsage(usage: Usage, reasoningTokens: number | null): JsonRecord {
  const input = promptTokens(usage);
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: usage.cacheRead, cache_write_tokens: usage.cacheWrite5m + usage.cacheWrite1h },
    output_tokens: usage.output,
    output_tokens_details: { reasoning_tokens: reasoningTokens ?? 0 },
    total_tokens: input + usage.output,
  };
}
