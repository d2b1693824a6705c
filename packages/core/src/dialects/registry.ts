import type { DialectName } from "../requests.ts";
import { anthropic } from "./anthropic.ts";
import type { Dialect } from "./dialect.ts";
import { gemini } from "./gemini.ts";
import { openai } from "./openai.ts";

/**
 * Dialects: the wire formats of LLM APIs. A dialect knows how to read a request's envelope from its raw bytes, how to
 * address and authenticate to a provider, what an answer or stream reports about usage, and how errors look. Bytes are
 * only altered by documented splices, numbers come only from structured fields, and a stream takes O(1) memory. Dialects
 * are kept together here so that no other code needs to know the kind of a provider.
 */
export const dialects: Readonly<Record<DialectName, Dialect>> = { anthropic, openai, gemini };
