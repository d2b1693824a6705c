import { hash } from "node:crypto";

const MAX_OPENAI_ID = 64;

/**
 * Ids of tool calls travel through clients and come back. Anthropic takes letters, digits, `_` and `-` only, and chat
 * providers make others ("functions.Bash:0"): the same id always becomes the same one, in the call and in its result.
 */
export function anthropicToolId(id: string): string {
  if (/^[\w-]{1,128}$/.test(id)) return id;
  const clean = id.replace(/[^\w-]/g, "_").slice(0, 80);
  return `${clean || "call"}_${hash("sha256", id, "hex").slice(0, 8)}`;
}

/** OpenAI takes any characters, but only 64 of them. */
export function openaiToolId(id: string): string {
  return id.length <= MAX_OPENAI_ID ? id : `${id.slice(0, 47)}_${hash("sha256", id, "hex").slice(0, 16)}`;
}
