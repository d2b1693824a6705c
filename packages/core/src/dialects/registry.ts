import type { DialectName } from "../requests.ts";
import { anthropic } from "./anthropic.ts";
import type { Dialect } from "./dialect.ts";
import { gemini } from "./gemini.ts";
import { openai } from "./openai.ts";

/**
 * Dialects: the wire formats of LLM APIs. A dialect says how to read a request's envelope from its raw bytes, how to
 * address and authenticate to a provider, what an answer or a stream says of its usage, and how errors look. It
 * promises that bytes are never altered but by a documented splice, that numbers come from structured fields only, and
 * O(1) memory per stream. It is apart so that nothing else asks which provider kind it deals with.
 */
export const dialects: Readonly<Record<DialectName, Dialect>> = { anthropic, openai, gemini };
