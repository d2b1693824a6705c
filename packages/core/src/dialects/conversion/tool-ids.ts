import { hash } from "node:crypto";

const MAX_OPENAI_ID = 64;

/**
 * Tool call ids travel through clients and come back. Anthropic accepts only letters, digits, `_` and `-`, but chat providers
 * use others ("functions.Bash:0"). The mapping is deterministic, so a call and its result keep the same id.
 */
export function anthropicToolId(id: string): string {
  if (/^[\w-]{1,128}$/.test(id)) return id;
  const clean = id.replace(/[^\w-]/g, "_").slice(0, 80);
  return `${clean || "call"}_${hash("sha256", id, "hex").slice(0, 8)}`;
}

/** OpenAI accepts any characters, but at most 64. */
export function openaiToolId(id: string): string {
  return id.length <= MAX_OPENAI_ID ? id : `${id.slice(0, 47)}_${hash("sha256", id, "hex").slice(0, 16)}`;
}
