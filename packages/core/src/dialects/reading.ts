import type { ErrorCode } from "../errors.ts";
import { noUsage, type Usage } from "../requests.ts";
import type { Reading } from "./dialect.ts";
import type { LargeEvent } from "./split-event.ts";

/** No request uses a billion tokens; a larger number is an upstream defect and is clamped. */
export const MAX_TOKENS = 1_000_000_000;

/** A {@link Reading} that is filled while an answer passes; `estimate` follows `contentBytes`. */
export interface OpenReading extends Reading {
  /** Bytes of content seen so far: text, thinking, tool arguments. */
  contentBytes: number;
  /** Counts that the upstream has already reported while the rest is still missing (Anthropic's input). */
  known: Partial<Usage>;
}

/** A class because of its getter: in an object literal, V8 would use a slow dictionary object, which takes several µs to create. */
class CountedReading implements OpenReading {
  usage: Usage = noUsage;
  usageReported = false;
  anomaly = false;
  hasContent = false;
  upstreamModel = "";
  failure: Reading["failure"] = null;
  finishReasons: Reading["finishReasons"] = null;
  complete = false;
  contentBytes = 0;
  known: Partial<Usage> = {};
  readonly #inputEstimate: number;
  readonly #bytesPerToken: number;

  constructor(inputEstimate: number, bytesPerToken: number) {
    this.#inputEstimate = inputEstimate;
    this.#bytesPerToken = bytesPerToken;
  }

  get estimate(): Usage {
    // When nothing was produced and nothing reported, nothing is charged, not even the input.
    const input = this.hasContent ? this.#inputEstimate : 0;
    return { ...noUsage, input, output: Math.ceil(this.contentBytes / this.#bytesPerToken), ...this.known };
  }
}

/** An empty reading. `bytesPerToken` converts content bytes for the estimate. */
export function newReading(inputEstimate: number, bytesPerToken: number): OpenReading {
  return new CountedReading(inputEstimate, bytesPerToken);
}

/**
 * A token count as an integer in [0, MAX_TOKENS]. Absent and null are 0; negative, fractional, textual and huge values
 * are clamped and flag the reading.
 */
export function readCount(value: unknown, reading: Pick<Reading, "anomaly">): number {
  if (value === undefined || value === null) return 0;
  if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= MAX_TOKENS) return value;
  reading.anomaly = true;
  const number = typeof value === "number" ? value : typeof value === "string" && /^\d{1,10}$/.test(value) ? Number(value) : 0;
  return Number.isNaN(number) ? 0 : Math.min(MAX_TOKENS, Math.max(0, Math.floor(number)));
}

/** Adds `bytes` bytes of content. */
export function addContent(reading: OpenReading, bytes: number): void {
  if (bytes <= 0) return;
  reading.hasContent = true;
  reading.contentBytes += bytes;
}

/** No client requests more answers at once. */
const MOST_ANSWERS = 128;
const MOST_WORD = 100;

/** Records why one of the answers ended; ignores anything but a non-empty string. */
export function takeFinish(reading: OpenReading, word: unknown, answer: unknown = 0): void {
  if (typeof word !== "string" || word === "" || typeof answer !== "number" || !(answer >= 0 && answer < MOST_ANSWERS)) return;
  reading.finishReasons ??= [];
  reading.finishReasons[Math.floor(answer)] = word.slice(0, MOST_WORD);
}

/** What an image counts in an estimate, whatever its size: about 1,300 tokens, roughly what providers charge. */
const BINARY_BYTES = 5200;

/** Bytes to count for an event that was too large to keep. */
export function largeBytes(event: LargeEvent): number {
  return event.isBinary ? BINARY_BYTES : event.bytes;
}

/** Bytes to count for base64 images or audio. */
export function binaryBytes(value: unknown): number {
  return Math.min(BINARY_BYTES, textBytes(value));
}

/** UTF-8 bytes of a text. */
export function textBytes(value: unknown): number {
  return typeof value === "string" ? Buffer.byteLength(value) : 0;
}

const overloadedWords = /overloaded|capacity|UNAVAILABLE|server_is_overloaded|slow_down/i;
const rateWords = /rate_limit|RESOURCE_EXHAUSTED|insufficient_quota|quota/i;
const authWords = /authentication|permission|UNAUTHENTICATED|PERMISSION_DENIED|invalid_api_key/i;
const clientWords = /invalid_request|INVALID_ARGUMENT|not_found|NOT_FOUND|context_length|invalid_prompt|request_too_large/i;

/** Interprets an error object inside a 200 answer: an overload and the like may be retried elsewhere, a bad request may not. */
export function readFailure(kind: string, message: string): { code: ErrorCode; message: string; retryable: boolean } {
  const text = cleanMessage(message || kind || "The provider sent an error inside its answer.");
  if (overloadedWords.test(kind)) return { code: "upstream_overloaded", message: text, retryable: true };
  if (rateWords.test(kind)) return { code: "upstream_rate_limited", message: text, retryable: true };
  if (authWords.test(kind)) return { code: "upstream_auth", message: text, retryable: true };
  if (clientWords.test(kind)) return { code: "invalid_request", message: text, retryable: false };
  return { code: "upstream_error", message: text, retryable: true };
}

const secretLike = /\b(?:sk|pk|rk|xai|gsk|key)[-_][\w\-*.]{6,}|\bBearer\s+[\w.~+/=-]{16,}|\bAIza[\w-]{10,}|\b[\w-]{40,}\b/g;

/** Upstream text that is safe to keep: short, without control characters, anything like a credential redacted. */
export function cleanMessage(text: string): string {
  return text
    .slice(0, 2000)
    .replace(/\p{C}+/gu, " ")
    .replace(secretLike, "[redacted]")
    .trim()
    .slice(0, 500);
}
