import { hash } from "node:crypto";
import { asList, asRecord, asText, type JsonRecord, parseRecord } from "./json.ts";

type Headers = Record<string, string | undefined>;

const MAX_HINT = 200;
const claudeSession = /_session_([0-9a-zA-Z-]{8,64})$/;

/** A client's id as a hint: bounded, without control characters. */
function bounded(id: string): string {
  const clean = id.replace(/\p{C}+/gu, "").trim();
  return clean.length > MAX_HINT ? hashed(clean) : clean;
}

/**
 * Claude Code puts its session into Anthropic's `metadata.user_id`: `user_<hash>_account_<id>_session_<uuid>` in older
 * versions, a JSON object with `session_id` in newer ones. Any other user_id identifies a user, not a conversation, and
 * is not used.
 */
export function sessionOfUserId(userId: string): string {
  const match = claudeSession.exec(userId);
  if (match?.[1]) return match[1];
  return userId.startsWith("{") ? asText(parseRecord(userId)?.session_id) : "";
}

/** Text that agents put in front of every conversation alike: their environment and instructions. */
const preamble = /^\s*<(?:session_context|system-reminder|environment_context)>/;

function firstText(content: unknown): string {
  if (typeof content === "string") return preamble.test(content) ? "" : content;
  for (const part of asList(content)) {
    const text = asText(asRecord(part)?.text);
    if (text && !preamble.test(text)) return text;
  }
  return "";
}

/** Only the beginning of a message is hashed. */
const HASHED_CHARS = 4096;
/** At most 4 MB of texts; when full they are forgotten. */
const MAX_HASHED = 500;
const hashes = new Map<string, string>();

/** All turns of a conversation repeat the text, so a short one is hashed once. The beginning of a long one would keep all of it in memory. */
function hintOfText(text: string): string {
  if (text.length > HASHED_CHARS) return hashed(text.slice(0, HASHED_CHARS));
  let hint = hashes.get(text);
  if (hint === undefined) {
    hint = hashed(text);
    if (hashes.size >= MAX_HASHED) hashes.clear();
    hashes.set(text, hint);
  }
  return hint;
}

function hashed(text: string): string {
  return `h:${hash("sha256", text, "base64url").slice(0, 22)}`;
}

/** `h:` and a hash of the first user message, which all turns of a conversation repeat. */
export function hintOfMessages(messages: unknown): string {
  if (typeof messages === "string") return messages ? hintOfText(messages) : "";
  for (const message of asList(messages)) {
    const record = asRecord(message);
    if (!record || (record.role !== undefined && record.role !== "user")) continue;
    const text = firstText(record.content ?? record.parts);
    if (text) return hintOfText(text);
  }
  return "";
}

const hintHeaders = ["x-session-id", "session_id", "session-id", "conversation_id", "thread-id", "x-claude-code-session-id"];

/** A session id that a client sent in a header; '' when none. */
export function hintOfHeaders(headers: Headers): string {
  for (const name of hintHeaders) {
    const value = headers[name];
    if (value) return bounded(value);
  }
  return "";
}

/** The session id in an Anthropic body, else in a header, else a hash of the first user message. */
export function anthropicHint(body: JsonRecord, headers: Headers): string {
  const own = sessionOfUserId(asText(asRecord(body.metadata)?.user_id));
  return own ? bounded(own) : hintOfHeaders(headers) || hintOfMessages(body.messages);
}

/** Codex's `prompt_cache_key` identifies its conversation; else a header, else a hash of the first user message. */
export function openaiHint(body: JsonRecord, headers: Headers): string {
  const own = asText(body.prompt_cache_key);
  return own ? bounded(own) : hintOfHeaders(headers) || hintOfMessages(body.messages ?? body.input);
}

/** Gemini has no field for it and its CLI sends no header: a header if there is one, else a hash of the first user message. */
export function geminiHint(body: JsonRecord, headers: Headers): string {
  return hintOfHeaders(headers) || hintOfMessages(body.contents);
}
