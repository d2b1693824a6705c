/** What a rule may watch. {@link alertKindFacts} gives the meaning of each kind's threshold and the fields of a rule that it uses. */
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

/** Whose figures a rule watches. */
export const alertScopes = ["all", "provider", "key", "user", "model"] as const;
export type AlertScope = (typeof alertScopes)[number];

export const alertSeverities = ["warning", "critical"] as const;
export type AlertSeverity = (typeof alertSeverities)[number];

export interface AlertKindFacts {
  /** Unit of threshold and value; null: the condition holds or it does not, and there is no threshold. */
  unit: "usd" | "percent" | "ms" | "records" | null;
  /** The side of the threshold that is bad. */
  bad: "above" | "below";
  scopes: readonly AlertScope[];
  /** Whether it is computed over the rule's window. */
  windowed: boolean;
  /** Whether nothing is concluded from fewer requests (cache reads, console calls) than the rule's minimum. */
  counted: boolean;
  /** The initial threshold of a new rule. */
  threshold: number;
}

const everyScope = alertScopes;
const traffic = { scopes: everyScope, windowed: true, counted: true } as const;
const installation = { scopes: ["all"], windowed: false, counted: false } as const;

export const alertKindFacts: Readonly<Record<AlertKind, AlertKindFacts>> = {
  /** Spent in the window; for a provider, what it charges. */
  cost: { unit: "usd", bad: "above", scopes: everyScope, windowed: true, counted: false, threshold: 10 },
  /** Used share of the cost limit or prepaid credit that is closest to exhaustion, per owner. */
  budget: { unit: "percent", bad: "above", scopes: ["all", "key", "user"], windowed: false, counted: false, threshold: 80 },
  /** Share answered with 4xx or 5xx. */
  error_rate: { unit: "percent", bad: "above", ...traffic, threshold: 20 },
  /** Time to first content, 95th percentile. */
  ttft: { unit: "ms", bad: "above", ...traffic, threshold: 10_000 },
  /** Time of whole answers, 95th percentile. */
  response_time: { unit: "ms", bad: "above", ...traffic, threshold: 60_000 },
  /** Share of input tokens that providers read from their caches. */
  prompt_cache_hit_rate: { unit: "percent", bad: "below", ...traffic, threshold: 80 },
  /** Each breaker separately: open or half open. */
  breaker_open: { unit: null, bad: "above", scopes: ["all", "provider"], windowed: false, counted: false, threshold: 1 },
  /** Each model separately: requests were recorded without a price. */
  unpriced_model: { unit: null, bad: "above", scopes: ["all", "model"], windowed: false, counted: false, threshold: 1 },
  /** Share of reads of the console's caches in the last 15 minutes that found an answer. */
  cache_hit_rate: { unit: "percent", bad: "below", ...installation, counted: true, threshold: 80 },
  /** Time of the console's own calls in the last 5 to 10 minutes, 95th percentile. */
  api_response_time: { unit: "ms", bad: "above", ...installation, counted: true, threshold: 1_000 },
  /** Share of maxmemory, or of the rule's capacity when Redis has no limit. */
  redis_memory: { unit: "percent", bad: "above", ...installation, threshold: 80 },
  /** Records that are not in Postgres yet, on the instance that has the most. */
  spool_depth: { unit: "records", bad: "above", ...installation, threshold: 10_000 },
};

/** What an incident is about; `id` is '' for all or for the installation. */
export interface AlertSubject {
  kind: AlertScope;
  id: string;
}
