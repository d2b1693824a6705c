/**
 * Which of a provider's credentials an attempt is made with. One that was refused cools off for a while; when all are
 * cooling off, the one that is ready soonest is tried, so that several are never worse than one.
 */

/** What the credential that every provider has is called beside further ones. */
export const firstCredential = "main";

export interface WeightedCredential {
  readonly label: string;
  readonly weight: number;
}

interface Choosing {
  /** Labels this request has used already at this provider. */
  used: ReadonlySet<string>;
  /** ms since the epoch until which a credential cools off; 0 = it does not. */
  coolsUntilMs(label: string): number;
  nowMs: number;
  /** [0, 1). */
  random: () => number;
}

/** null: every one was used, or all that are left cool off after one was used. */
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

/** How long one cools off after it was refused, s, when the provider does not say. */
const defaultCoolDownS = { upstream_auth: 300, upstream_rate_limited: 60 } as const;
/** The longest that a provider is believed, s. */
const longestCoolDownS = 1_800;

/** Seconds to cool off after an error of the catalogue; null when it says nothing about the credential. */
export function coolDownAfter(code: string, retryAfterS: number | null | undefined): number | null {
  if (code !== "upstream_auth" && code !== "upstream_rate_limited") return null;
  return Math.min(longestCoolDownS, Math.max(1, retryAfterS ?? defaultCoolDownS[code]));
}
