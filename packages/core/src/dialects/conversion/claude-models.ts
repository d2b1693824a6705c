/**
 * What Anthropic's model generations accept, judged by the version in a model's name. Anthropic answers 400 to the whole request for an
 * option that a generation no longer has.
 * Sources: platform.claude.com/docs, "Thinking", "Effort" and the migration guides.
 */

/** Major and minor version as one number, 4.07 for claude-opus-4-7; 0 for older schemes and unknown names. */
function versionOf(model: string): number {
  const found = /claude-[a-z]+-(\d{1,2})(?:[-.](\d{1,2}))?(?!\d)/i.exec(model);
  return found ? Number(found[1]) + Number(found[2] ?? 0) / 100 : 0;
}

/** From 4.6 on, models decide themselves how long to think and take an effort instead of a budget. */
export function thinksAdaptively(model: string): boolean {
  return versionOf(model) >= 4.06;
}

/** From 5 on, models think unless they are asked for less; several cannot be stopped. */
export function thinksByDefault(model: string): boolean {
  return versionOf(model) >= 5;
}

/** `xhigh` came with 4.7. */
export function knowsXhigh(model: string): boolean {
  return versionOf(model) >= 4.07;
}

/** From 4.7 on, models refuse `top_p`, `top_k` and any `temperature` other than 1. */
export function refusesSampling(model: string): boolean {
  return versionOf(model) >= 4.07;
}
