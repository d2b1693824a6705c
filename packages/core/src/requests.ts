/**
 * One request as everyone sees it: the in-flight registry, the live bus, the list pages and the ledger share these
 * shapes, so that a row in the browser can be replaced by a later state of itself without translation.
 */
import type { ErrorFacts } from "./errors.ts";
import type { Measured, Strategy } from "./routing/strategies.ts";

export type DialectName = "anthropic" | "openai" | "gemini";

/** What of a dialect a request used. `models` and `countTokens` cost nothing and are not billable. */
export type Endpoint = "messages" | "countTokens" | "chat" | "responses" | "embeddings" | "generateContent" | "models";

/**
 * in_flight, then exactly one of the others. `aborted`: the client left. `refused`: never reached an upstream. `lost`:
 * its instance gives no sign of life; never stored, and over once recovery has billed it or the instance is back.
 */
export type RequestState = "in_flight" | "lost" | "done" | "error" | "aborted" | "refused";

/** `2xx` etc., or `aborted`; the last part of a rollup's key. */
export type StatusClass = "2xx" | "3xx" | "4xx" | "5xx" | "aborted" | "refused";

/**
 * Why the numbers of a row deserve a second look. estimated: counted from content bytes; partial: the client or the
 * stream ended early; recovered: written by recovery after a kill; anomaly: the upstream's usage was impossible and
 * was clamped; unpriced: no price was known (cost null); corrected: another row changed its cost since (never stored).
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

/** The light row: lists, frames and the registry carry nothing larger (< 1 KB). Ids are '' where there is none. */
export interface RequestRow {
  id: string;
  tenantId: string;
  userId: string;
  keyId: string;
  /** Scoped to the key; '' when the client names none and none could be derived. */
  sessionId: string;
  providerId: string;
  group: string;
  dialect: DialectName;
  endpoint: Endpoint;
  stream: boolean;
  /** As the client asked. '' when the body could not be read that far. */
  model: string;
  /** As the upstream says it used; '' until known. */
  upstreamModel: string;
  state: RequestState;
  /** HTTP status given to the client; 0 while in flight and when the client left before a head was sent. */
  status: number;
  /** Code of the error catalogue, '' when none. */
  errorCode: string;
  attempts: number;
  usage: Usage;
  flags: UsageFlag[];
  /** Decimal string of nano-USD (bigint does not travel in JSON); null = not known (unpriced, or still in flight). */
  costNanoUsd: string | null;
  billable: boolean;
  /** ms since the epoch; equals the id's time. */
  startedAtMs: number;
  /** Head read → first content byte given to the client; null when none was. */
  ttftMs: number | null;
  /** Head read → answer ended; null in flight. */
  durationMs: number | null;
  /** Short client name from the user agent ("claude-code 2.1"), '' when unknown. */
  client: string;
  /** Set on a correction row: the request whose numbers this one adjusts. Lists fold it into the original. */
  correctsId: string | null;
}

/** Why a provider was not a candidate; the wording of the console's decision view follows these. */
export type ExclusionReason =
  | "disabled"
  | "group"
  | "dialect"
  | "endpoint"
  | "model"
  /** Outside the hours at which it may be used. */
  | "schedule"
  | "breaker_open"
  /** By an administrator's override. */
  | "forced_open"
  /** By an override, too: it serves only the sessions it has. */
  | "draining"
  | "already_failed"
  /** A routing rule names another. */
  | "rule"
  /** It speaks another dialect, and this request cannot be converted to it. */
  | "conversion"
  /** At one of its own limits. */
  | "limited"
  | "worse_priority";

export interface Attempt {
  providerId: string;
  /** Label of the credential it was made with; absent where the provider has one only. */
  credential?: string;
  /** Model name sent to that provider, after its redirect. */
  upstreamModel: string;
  /** ms after the request's start. */
  startedMs: number;
  firstContentMs: number | null;
  endedMs: number;
  /** Upstream status; null when no head came. */
  status: number | null;
  /** `hedge_lost`: it was stopped because another provider, asked beside it, had content first. */
  outcome: "ok" | "failed" | "aborted" | "hedge_lost";
  /** Code of the error catalogue for a failed attempt, '' otherwise. */
  errorCode: string;
  /** The administrator's rule that said what its error means; absent when none did. */
  rule?: { name: string; action: "failover" | "retry" | "answer" };
  /** "anthropic → openai chat": the request was converted; absent when its bytes passed as they were. */
  converted?: string;
  /** Fields of the client's that the conversion left out, as it wrote them; absent when none. */
  dropped?: string[];
  /** What the attempt cost upstream, decimal nano-USD; "0" when nothing was produced. */
  upstreamCostNanoUsd: string;
  usage: Usage;
}

export interface DecisionCandidate {
  providerId: string;
  priority: number;
  weight: number;
  /** "anthropic → openai chat": it speaks another dialect; absent when it speaks the client's. */
  converted?: string;
  /** What the strategy saw of it; absent when it looks at nothing. */
  saw?: Measured;
}

export interface Exclusion {
  providerId: string;
  reason: ExclusionReason;
  /** ms since the epoch at which its schedule opens next; absent for any other reason. */
  opensAtMs?: number;
}

/** The routing rule that decided, by its name, with what it says: absent is as without it. */
export interface DecisionRule {
  name: string;
  provider?: string;
  group?: string;
  model?: string;
}

export interface Decision {
  /** In the order they would be tried. */
  candidates: DecisionCandidate[];
  /** The most telling ones first, at most 64. */
  excluded: Exclusion[];
  /** How many exclusions were left off; absent when none. */
  excludedMore?: number;
  /** How the first candidate was chosen. */
  chosenBy: "sticky" | Strategy | "only" | "none";
  /** The session's provider of a lower tier, left because somebody above it is well again; absent when there is none. */
  failedBackFrom?: string;
  /** Absent when no rule applied. */
  rule?: DecisionRule;
}

/** Why a correction was written. */
export interface CorrectionCause {
  /** A price appeared for what had none; or an administrator had a range priced anew. */
  reason: "priced" | "repriced";
  /** The user who asked for it; '' for the system. */
  actorId: string;
  atMs: number;
}

/** What a request was billed at first, and every correction since, oldest first. Money is decimal nano-USD. */
export interface CostHistory {
  /** null: it had no price. */
  originalNanoUsd: string | null;
  corrections: CostCorrection[];
}

export interface CostCorrection {
  id: string;
  /** Signed. */
  differenceNanoUsd: string;
  /** Versions of the price before it and from it on; null when there was none, or for a viewer who is not told. */
  fromPrice: PriceVersion | null;
  toPrice: PriceVersion | null;
  /** The parts of the cost from then on; null when its details are older than what is kept, as the cause then is. */
  cost: CostBreakdown | null;
  cause: CorrectionCause | null;
}

/** One version of a price in a word: since when, from where, USD per million tokens. */
export interface PriceVersion {
  id: string;
  createdAtMs: number;
  source: string;
  inputPerMTok: string;
  outputPerMTok: string;
}

/** The large half of a request: read by the detail view only, stored beside the row. */
export interface RequestDetail {
  id: string;
  decision: Decision;
  attempts: Attempt[];
  /** Parts before multipliers and the multipliers, see core/pricing; null when nothing was priced. */
  cost: CostBreakdown | null;
  priceId: string | null;
  /** Public message given to the client, internal detail (admins only), and the figures of a refusal by limit or credit. */
  error: { message: string; detail: string; facts?: ErrorFacts } | null;
  userAgent: string;
  clientIp: string;
  path: string;
  requestBytes: number;
  responseBytes: number;
  /** Of a correction alone. */
  correction?: CorrectionCause;
  /** done | eof | timeout | client_gone | error: how the answer ended. */
  endReason: "done" | "eof" | "timeout" | "client_gone" | "error";
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
