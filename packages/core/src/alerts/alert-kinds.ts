/** What a rule may be about. Every kind says in {@link alertKindFacts} what its threshold means and which of a rule's fields it uses. */
export const alertKinds = [
  "cost",
  "budget",
  "error_rate",
  "ttft",
  "response_time",
  "prompt_cache_hit_rate",
  "breaker_open",
  "unpriced_model",
  "cache_hit_rate",
  "api_response_time",
  "redis_memory",
  "spool_depth",
] as const;
export type AlertKind = (typeof alertKinds)[number];

/** Whose figures a rule looks at. */
export const alertScopes = ["all", "provider", "key", "user", "model"] as const;
export type AlertScope = (typeof alertScopes)[number];

export const alertSeverities = ["warning", "critical"] as const;
export type AlertSeverity = (typeof alertSeverities)[number];

export interface AlertKindFacts {
  /** Of threshold and value; null: it is so or it is not, and there is no threshold. */
  unit: "usd" | "percent" | "ms" | "records" | null;
  /** The side of the threshold that is bad. */
  bad: "above" | "below";
  scopes: readonly AlertScope[];
  /** Whether it sums up over the rule's window. */
  windowed: boolean;
  /** Whether fewer requests (reads of caches, calls of the console) than the rule's minimum conclude nothing. */
  counted: boolean;
  /** What a new rule begins with. */
  threshold: number;
}

const everyScope = alertScopes;
const traffic = { scopes: everyScope, windowed: true, counted: true } as const;
const installation = { scopes: ["all"], windowed: false, counted: false } as const;

export const alertKindFacts: Readonly<Record<AlertKind, AlertKindFacts>> = {
  /** Spent in the window; at a provider what it charges. */
  cost: { unit: "usd", bad: "above", scopes: everyScope, windowed: true, counted: false, threshold: 10 },
  /** Used of the cost limit, or of the prepaid credit, that is nearest to its end; each owner by itself. */
  budget: { unit: "percent", bad: "above", scopes: ["all", "key", "user"], windowed: false, counted: false, threshold: 80 },
  /** Answered with 4xx or 5xx. */
  error_rate: { unit: "percent", bad: "above", ...traffic, threshold: 20 },
  /** Time to first content, 95th percentile. */
  ttft: { unit: "ms", bad: "above", ...traffic, threshold: 10_000 },
  /** Time of whole answers, 95th percentile. */
  response_time: { unit: "ms", bad: "above", ...traffic, threshold: 60_000 },
  /** Input tokens that providers read from their caches. */
  prompt_cache_hit_rate: { unit: "percent", bad: "below", ...traffic, threshold: 80 },
  /** Each breaker by itself: open or half open. */
  breaker_open: { unit: null, bad: "above", scopes: ["all", "provider"], windowed: false, counted: false, threshold: 1 },
  /** Each model by itself: requests were recorded without a price. */
  unpriced_model: { unit: null, bad: "above", scopes: ["all", "model"], windowed: false, counted: false, threshold: 1 },
  /** Reads of the console's caches in the last quarter of an hour that found an answer. */
  cache_hit_rate: { unit: "percent", bad: "below", ...installation, counted: true, threshold: 80 },
  /** Time of the console's own calls in the last minutes (five to ten), 95th percentile. */
  api_response_time: { unit: "ms", bad: "above", ...installation, counted: true, threshold: 1_000 },
  /** Of maxmemory, or of the rule's capacity when Redis has none. */
  redis_memory: { unit: "percent", bad: "above", ...installation, threshold: 80 },
  /** Records that are not in Postgres yet, at the instance that has most. */
  spool_depth: { unit: "records", bad: "above", ...installation, threshold: 10_000 },
};

/** What an incident is about; `id` is '' for everybody or the installation. */
export interface AlertSubject {
  kind: AlertScope;
  id: string;
}
