/**
 * What Anthropic's model generations accept, judged by the version in a model's name. Anthropic answers 400 to the whole request for an
 * option that a generation no longer has.
 * Sources: platform.claude.com/docs, "Thinking", "Effort" and the migration guides.
 */

/** Family and version of a model, 407 for claude-opus-4-7; 0 for older schemes and unknown names. */
function generationOf(model: string): { family: string; version: number } {
  const found = /claude-([a-z]+)-(\d{1,2})(?:[-.](\d{1,2}))?(?!\d)/i.exec(model);
  if (!found) return { family: "", version: 0 };
  return { family: found[1]?.toLowerCase() ?? "", version: Number(found[2]) * 100 + Number(found[3] ?? 0) };
}

/** From 4.6 on, models decide themselves how long to think and take an effort instead of a budget. */
export function thinksAdaptively(model: string): boolean {
  return generationOf(model).version >= 406;
}

/** From 4.6 on, models refuse a conversation that ends with the assistant. */
export function refusesPrefill(model: string): boolean {
  return generationOf(model).version >= 406;
}

/** From 5 on, models think unless they are asked for less; several cannot be stopped. */
export function thinksByDefault(model: string): boolean {
  return generationOf(model).version >= 500;
}

/** `xhigh` came with 4.7. */
export function knowsXhigh(model: string): boolean {
  return generationOf(model).version >= 407;
}

/** From 4.7 on, models refuse `top_p`, `top_k` and any `temperature` other than 1. */
export function refusesSampling(model: string): boolean {
  return generationOf(model).version >= 407;
}

/** From 5.5 on (Fable and Mythos: 5.1), models refuse to be forced to call a tool. */
export function refusesForce(model: string): boolean {
  const { family, version } = generationOf(model);
  return version >= (family === "fable" || family === "mythos" ? 501 : 505);
}
