import type { AlertKindFacts } from "./alert-kinds.ts";

/** What is known of one subject now. */
export interface AlertReading {
  /** In the kind's unit; null = nothing is known, and nothing is concluded. */
  value: number | null;
  /** Requests it comes from, where the kind counts them. */
  requests: number;
}

export interface JudgedRule {
  threshold: number;
  minimumRequests: number;
  resolveAfterSeconds: number;
}

/** Of the open incident, since when it has been well; ms, null = it is not. */
export interface OpenIncident {
  clearSinceMs: number | null;
}

/** `stay`: nothing changes. `clear` and `worsen`: the open incident begins, or ceases, to be well. */
export type Verdict = "stay" | "fire" | "clear" | "worsen" | "resolve";

/** How far back from the threshold, in parts of it (above) or of what is left to 100 % (below), counts as well again. */
const MARGIN = 0.05;

/**
 * Whether an incident begins, goes on or ends. A value that hovers about the threshold does not make it flap: it fires at the threshold
 * and is well only a margin away from it, for as long as the rule says. Too few requests neither fire nor end
 * anything; none at all in the whole window is well: whatever it was is over.
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
