import type { ErrorCode } from "../errors.ts";
import { noUsage, type Usage } from "../requests.ts";
import type { Reading } from "./dialect.ts";
import type { LargeEvent } from "./split-event.ts";

/** No request uses a thousand million tokens; more is a defect of the upstream's, and is clamped. */
export const MAX_TOKENS = 1_000_000_000;

/** A {@link Reading} that is filled while an answer passes; `estimate` follows `contentBytes` by itself. */
export interface OpenReading extends Reading {
  /** Bytes of content seen so far: text, thinking, tool arguments. */
  contentBytes: number;
  /** Counts that the upstream has already said although the whole is still missing (Anthropic's input). */
  known: Partial<Usage>;
}

/** A class for its getter: in a literal it makes a dictionary of every object, several µs to make and slow to read. */
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
    // Nothing produced and nothing said: nothing to charge, not even the input.
    const input = this.hasContent ? this.#inputEstimate : 0;
    return { ...noUsage, input, output: Math.ceil(this.contentBytes / this.#bytesPerToken), ...this.known };
  }
}

/** A reading of nothing yet. `bytesPerToken` turns content bytes into the estimate. */
export function newReading(inputEstimate: number, bytesPerToken: number): OpenReading {
  return new CountedReading(inputEstimate, bytesPerToken);
}

/**
 * A token count as an integer in [0, MAX_TOKENS]. Absent and null are 0; negative, fractional, textual or huge
 * values are clamped and flag the reading.
 */
export function readCount(value: unknown, reading: Pick<Reading, "anomaly">): number {
  if (value === undefined || value === null) return 0;
  if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= MAX_TOKENS) return value;
  reading.anomaly = true;
  const number = typeof value === "number" ? value : typeof value === "string" && /^\d{1,10}$/.test(value) ? Number(value) : 0;
  return Number.isNaN(number) ? 0 : Math.min(MAX_TOKENS, Math.max(0, Math.floor(number)));
}

/** Content of `bytes` bytes passed. */
export function addContent(reading: OpenReading, bytes: number): void {
  if (bytes <= 0) return;
  reading.hasContent = true;
  reading.contentBytes += bytes;
}

/** No client asks for more answers at once. */
const MOST_ANSWERS = 128;
const MOST_WORD = 100;

/** Says why one of the answers ended; what is no text says nothing. */
export function takeFinish(reading: OpenReading, word: unknown, answer: unknown = 0): void {
  if (typeof word !== "string" || word === "" || typeof answer !== "number" || !(answer >= 0 && answer < MOST_ANSWERS)) return;
  reading.finishReasons ??= [];
  reading.finishReasons[Math.floor(answer)] = word.slice(0, MOST_WORD);
}

/** What an image counts in an estimate, whatever its size: about 1,300 tokens, as providers charge for one. */
const BINARY_BYTES = 5200;

/** Bytes to count of an event that was too large to keep. */
export function largeBytes(event: LargeEvent): number {
  return event.isBinary ? BINARY_BYTES : event.bytes;
}

/** Bytes to count of an image or sound in base64. */
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

/** An error object inside a 200 answer → what it means: overloaded and the like may be tried elsewhere, a bad request not. */
export function readFailure(kind: string, message: string): { code: ErrorCode; message: string; retryable: boolean } {
  const text = cleanMessage(message || kind || "The provider sent an error inside its answer.");
  if (overloadedWords.test(kind)) return { code: "upstream_overloaded", message: text, retryable: true };
  if (rateWords.test(kind)) return { code: "upstream_rate_limited", message: text, retryable: true };
  if (authWords.test(kind)) return { code: "upstream_auth", message: text, retryable: true };
  if (clientWords.test(kind)) return { code: "invalid_request", message: text, retryable: false };
  return { code: "upstream_error", message: text, retryable: true };
}

const secretLike = /\b(?:sk|pk|rk|xai|gsk|key)[-_][\w\-*.]{6,}|\bBearer\s+[\w.~+/=-]{16,}|\bAIza[\w-]{10,}|\b[\w-]{40,}\b/g;

/** Upstream text made fit to keep: short, without control characters, anything that looks like a credential blanked. */
export function cleanMessage(text: string): string {
  return text
    .slice(0, 2000)
    .replace(/\p{C}+/gu, " ")
    .replace(secretLike, "[redacted]")
    .trim()
    .slice(0, 500);
}
