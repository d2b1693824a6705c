import type { AlertKindFacts } from "./alert-kinds.ts";

/** The current figures of one subject. */
export interface AlertReading {
  /** In the kind's unit; null = unknown, so nothing is concluded. */
  value: number | null;
  /** Number of requests behind the value, for kinds that count them. */
  requests: number;
}

export interface JudgedRule {
  threshold: number;
  minimumRequests: number;
  resolveAfterSeconds: number;
}

/** Since when the open incident has been well, ms; null = it is not. */
export interface OpenIncident {
  clearSinceMs: number | null;
}

/** `stay`: nothing changes. `clear` and `worsen`: the open incident becomes well, or stops being well. */
export type Verdict = "stay" | "fire" | "clear" | "worsen" | "resolve";

/** Distance from the threshold that counts as well again: a share of the threshold (above) or of what is left to 100 % (below). */
const MARGIN = 0.05;

/**
 * Whether an incident begins, continues or ends. To keep a value near the threshold from flapping, an incident fires at the threshold
 * but is well only a margin away from it, for as long as the rule requires. Too few requests neither start nor end an incident; none at
 * all in the whole window counts as well, because whatever it was is over.
 */
export function judgeReading(
  facts: Pick<AlertKindFacts, "bad" | "counted">,
  rule: JudgedRule,
  reading: AlertReading,
  { open, nowMs }: { open: OpenIncident | null; nowMs: number },
): Verdict {
  const enough = !facts.counted || reading.requests >= Math.max(1, rule.minimumRequests);
  const isSilent = facts.counted && reading.requests === 0;
  const { value } = reading;
  if (!open) return enough && value !== null && isBad(facts, rule.threshold, value) ? "fire" : "stay";
  if (!isSilent && (!enough || value === null)) return "stay";
  if (!isSilent && value !== null && !isWell(facts, rule.threshold, value)) return open.clearSinceMs === null ? "stay" : "worsen";
  const sinceMs = open.clearSinceMs ?? nowMs;
  if (nowMs - sinceMs >= rule.resolveAfterSeconds * 1_000) return "resolve";
  return open.clearSinceMs === null ? "clear" : "stay";
}

function isBad({ bad }: Pick<AlertKindFacts, "bad">, threshold: number, value: number): boolean {
  return bad === "above" ? value >= threshold : value < threshold;
}

function isWell({ bad }: Pick<AlertKindFacts, "bad">, threshold: number, value: number): boolean {
  if (bad === "above") return value <= threshold * (1 - MARGIN);
  return value >= threshold + Math.max(0, 100 - threshold) * MARGIN;
}
