/**
 * One request in the form that everything shares: the in-flight registry, the live bus, the list pages and the ledger. A
 * row in the browser can therefore be replaced by a later state of itself without conversion.
 */
import type { ErrorFacts } from "./errors.ts";
import type { Measured, Strategy } from "./routing/strategies.ts";

export type DialectName = "anthropic" | "openai" | "gemini";

/** The endpoint of a dialect that a request used. `models` and `countTokens` cost nothing and are not billable. */
export type Endpoint = "messages" | "countTokens" | "chat" | "responses" | "embeddings" | "generateContent" | "models";

/**
 * in_flight, then exactly one of the others. `aborted`: the client left. `refused`: never reached an upstream. `lost`:
 * its instance shows no sign of life; never stored, and over once recovery has billed it or the instance is back.
 */
export type RequestState = "in_flight" | "lost" | "done" | "error" | "aborted" | "refused";

/** `2xx` etc., or `aborted` or `refused`; the last part of a rollup's key. */
export type StatusClass = "2xx" | "3xx" | "4xx" | "5xx" | "aborted" | "refused";

/**
 * Why the numbers of a row need care. estimated: derived from content bytes; partial: the client or the stream ended early;
 * recovered: written by recovery after a kill; anomaly: the upstream reported impossible usage, which was clamped;
 * unpriced: no price was known (cost null); corrected: another row has changed its cost since (never stored).
 */
export type UsageFlag = "estimated" | "partial" | "recovered" | "anomaly" | "unpriced" | "corrected";

/** Token counts by kind; they never overlap (`input` excludes cache reads and writes). Integers ≥ 0. */
export interface Usage {
  input: number;
  output: number;
  cacheWrite5m: number;
  cacheWrite1h: number;
  cacheRead: number;
}

export const noUsage: Usage = { input: 0, output: 0, cacheWrite5m: 0, cacheWrite1h: 0, cacheRead: 0 };

/** The small part of a request: lists, frames and the registry carry nothing larger (< 1 KB). Missing ids are ''. */
export interface RequestRow {
  id: string;
  tenantId: string;
  userId: string;
  keyId: string;
  /** Scoped to the key; '' when the client sends none and none could be derived. */
  sessionId: string;
  providerId: string;
  group: string;
  dialect: DialectName;
  endpoint: Endpoint;
  stream: boolean;
  /** As the client requested; '' when the body could not be read that far. */
  model: string;
  /** As the upstream reports; '' until known. */
  upstreamModel: string;
  state: RequestState;
  /** HTTP status sent to the client; 0 while in flight, and when the client left before a head was sent. */
  status: number;
  /** Code from the error catalogue; '' when none. */
  errorCode: string;
  attempts: number;
  usage: Usage;
  flags: UsageFlag[];
  /** Decimal string of nano-USD (JSON has no bigint); null = unknown (unpriced, or still in flight). */
  costNanoUsd: string | null;
  billable: boolean;
  /** ms since the epoch. The id's time is the same, or slightly later when ids had to keep rising. */
  startedAtMs: number;
  /** From reading the head to the first content byte for the client; null when there was none. */
  ttftMs: number | null;
  /** From reading the head to the end of the answer; null in flight. */
  durationMs: number | null;
  /** Short client name from the user agent ("claude-code 2.1"); '' when unknown. */
  client: string;
  /** Set on a correction row: the request whose numbers it adjusts. Lists add it to the original. */
  correctsId: string | null;
}

/** Why a provider was not a candidate. The texts of the console's decision view follow these. */
export type ExclusionReason =
  | "disabled"
  | "group"
  | "dialect"
  | "endpoint"
  | "model"
  /** Outside the provider's schedule. */
  | "schedule"
  | "breaker_open"
  /** By an administrator's override. */
  | "forced_open"
  /** Also by an override: it serves only its existing sessions. */
  | "draining"
  | "already_failed"
  /** A routing rule names another provider. */
  | "rule"
  /** It speaks another dialect, and this request cannot be converted to it. */
  | "conversion"
  /** At one of its own limits. */
  | "limited"
  | "worse_priority";

export interface Attempt {
  providerId: string;
  /** Label of the credential used; absent when the provider has only one. */
  credential?: string;
  /** Model name sent to that provider, after its redirects. */
  upstreamModel: string;
  /** ms after the request's start. */
  startedMs: number;
  firstContentMs: number | null;
  endedMs: number;
  /** Upstream status; null when no head arrived. */
  status: number | null;
  /** `hedge_lost`: stopped because another provider, asked at the same time, had content first. */
  outcome: "ok" | "failed" | "aborted" | "hedge_lost";
  /** Code from the error catalogue for a failed attempt; '' otherwise. */
  errorCode: string;
  /** The administrator's rule that interpreted its error; absent when none did. */
  rule?: { name: string; action: "failover" | "retry" | "answer" };
  /** "anthropic → openai chat": the request was converted; absent when its bytes passed unchanged. */
  converted?: string;
  /** Client fields that the conversion left out, named as in the client's request; absent when none. */
  dropped?: string[];
  /** What the attempt cost upstream, decimal nano-USD; "0" when nothing was produced. */
  upstreamCostNanoUsd: string;
  usage: Usage;
}

export interface DecisionCandidate {
  providerId: string;
  priority: number;
  weight: number;
  /** "anthropic → openai chat": set when it speaks another dialect than the client. */
  converted?: string;
  /** What the strategy measured; absent for strategies that measure nothing. */
  saw?: Measured;
}

export interface Exclusion {
  providerId: string;
  reason: ExclusionReason;
  /** ms since the epoch at which its schedule opens next; absent for other reasons. */
  opensAtMs?: number;
}

/** The routing rule that decided, by name, and what it sets; absent fields are as without a rule. */
export interface DecisionRule {
  name: string;
  provider?: string;
  group?: string;
  model?: string;
}

export interface Decision {
  /** In the order in which they would be tried. */
  candidates: DecisionCandidate[];
  /** The most informative ones first, at most 64. */
  excluded: Exclusion[];
  /** How many exclusions were omitted; absent when none. */
  excludedMore?: number;
  /** How the first candidate was chosen. */
  chosenBy: "sticky" | Strategy | "only" | "none";
  /** The session's provider in a lower tier, left because one above it is well again; absent when there is none. */
  failedBackFrom?: string;
  /** Absent when no rule applied. */
  rule?: DecisionRule;
}

/** Why a correction was written. */
export interface CorrectionCause {
  /** A missing price was added, or an administrator had a range repriced. */
  reason: "priced" | "repriced";
  /** The user who requested it; '' for the system. */
  actorId: string;
  atMs: number;
}

/** What a request was billed originally, and every correction since, oldest first. Money is decimal nano-USD. */
export interface CostHistory {
  /** null: it had no price. */
  originalNanoUsd: string | null;
  corrections: CostCorrection[];
}

export interface CostCorrection {
  id: string;
  /** Signed. */
  differenceNanoUsd: string;
  /** Price versions before and after; null when there was none or the viewer may not see it. */
  fromPrice: PriceVersion | null;
  toPrice: PriceVersion | null;
  /** Parts of the cost from then on; null when its details have expired, and then so has the cause. */
  cost: CostBreakdown | null;
  cause: CorrectionCause | null;
}

/** One version of a price in short: since when, its source, USD per million tokens. */
export interface PriceVersion {
  id: string;
  createdAtMs: number;
  source: string;
  inputPerMTok: string;
  outputPerMTok: string;
}

/** The large part of a request, stored beside the row and read only by the detail view. */
export interface RequestDetail {
  id: string;
  decision: Decision;
  attempts: Attempt[];
  /** Parts before multipliers and the multipliers, see core/pricing; null when nothing was priced. */
  cost: CostBreakdown | null;
  priceId: string | null;
  /** Public message sent to the client, internal detail (administrators only), and the figures of a refusal by limit or credit. */
  error: { message: string; detail: string; facts?: ErrorFacts } | null;
  userAgent: string;
  clientIp: string;
  path: string;
  requestBytes: number;
  responseBytes: number;
  /** Only for a correction. */
  correction?: CorrectionCause;
  /** How the answer ended. */
  endReason: "done" | "eof" | "timeout" | "client_gone" | "error";
}

/** The detail of a request of which nothing is known yet, to be filled in. */
export function emptyDetail(id: string): RequestDetail {
  return {
    id,
    decision: { candidates: [], excluded: [], chosenBy: "none" },
    attempts: [],
    cost: null,
    priceId: null,
    error: null,
    userAgent: "",
    clientIp: "",
    path: "",
    requestBytes: 0,
    responseBytes: 0,
    endReason: "done",
  };
}

/** All amounts are decimal strings of nano-USD × 10^9 (exact, before the one rounding). */
export interface CostBreakdown {
  input: string;
  output: string;
  cacheWrite5m: string;
  cacheWrite1h: string;
  cacheRead: string;
  providerMultiplier: string;
  groupMultiplier: string;
}
