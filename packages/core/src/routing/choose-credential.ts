/**
 * Which of a provider's credentials an attempt uses. A refused one cools down for a while. When all are cooling down, the one
 * that is ready soonest is tried, so several credentials are never worse than one.
 */

/** Label of the credential that every provider has, when there are others. */
export const firstCredential = "main";

export interface WeightedCredential {
  readonly label: string;
  readonly weight: number;
}

interface Choosing {
  /** Labels that this request has already used at this provider. */
  used: ReadonlySet<string>;
  /** ms since the epoch until which a credential cools down; 0 = it does not. */
  coolsUntilMs(label: string): number;
  nowMs: number;
  /** [0, 1). */
  random: () => number;
}

/** null: all have been used, or one has been used and all others are cooling down. */
export function chooseCredential<C extends WeightedCredential>(
  credentials: readonly C[],
  order: "first" | "weighted",
  { used, coolsUntilMs, nowMs, random }: Choosing,
): C | null {
  const left = credentials.filter(({ label }) => !used.has(label));
  const ready = left.filter(({ label }) => coolsUntilMs(label) <= nowMs);
  if (ready.length > 0) return order === "first" ? (ready[0] ?? null) : drawByWeight(ready, random());
  if (used.size > 0) return null;
  return left.toSorted((a, b) => coolsUntilMs(a.label) - coolsUntilMs(b.label))[0] ?? null;
}

function drawByWeight<C extends WeightedCredential>(ready: readonly C[], dice: number): C | null {
  let at = dice * ready.reduce((sum, { weight }) => sum + weight, 0);
  for (const one of ready) {
    at -= one.weight;
    if (at < 0) return one;
  }
  return ready.at(-1) ?? null;
}

/** Cool-down after a refusal when the provider does not give one, s. */
const defaultCoolDownS = { upstream_auth: 300, upstream_rate_limited: 60 } as const;
/** Upper bound for a cool-down that the provider asks for, s. */
const longestCoolDownS = 1_800;

/** Cool-down in seconds after an error of the catalogue; null when the error is not about the credential. */
export function coolDownAfter(code: string, retryAfterS: number | null | undefined): number | null {
  if (code !== "upstream_auth" && code !== "upstream_rate_limited") return null;
  return Math.min(longestCoolDownS, Math.max(1, retryAfterS ?? defaultCoolDownS[code]));
}
