/** How providers say that a conversation is longer than the model's context. */
const words =
  /prompt is too long|context_length_exceeded|maximum context length|(?:exceeds?|larger than|beyond) (?:the |this )?(?:model's |available )?context (?:window|length|size|limit)|(?:input|prompt) token count .{0,40}exceeds/i;

/**
 * Whether an error says so. Agents then shorten the conversation, but each knows only its own provider's words: a converted error has to
 * be told in those.
 */
export function isContextOverflow({ code, message }: { code: string; message: string }): boolean {
  return (code === "invalid_request" || code === "body_too_large") && words.test(message);
}
