/**
 * What refuses a request before any provider is asked, by configuration and clock alone. The gateway, the routing simulator and the
 * key check share these, so predictions match what happens.
 */
import type { ErrorCode } from "../errors.ts";
import { type ModelRules, upstreamModelOf } from "./model-patterns.ts";

interface KeyState {
  readonly enabled: boolean;
  readonly expiresAtMs: number | null;
}

/** Why a key or its owner may not be used; null when they may. An unknown owner counts as disabled. */
export function keyRefusal(
  key: KeyState,
  owner: { readonly enabled: boolean; readonly expiresAtMs?: number | null } | undefined,
  nowMs: number,
): "key_disabled" | "key_expired" | "user_disabled" | "user_expired" | null {
  if (!key.enabled) return "key_disabled";
  if (key.expiresAtMs !== null && key.expiresAtMs <= nowMs) return "key_expired";
  if (!owner?.enabled) return "user_disabled";
  return owner.expiresAtMs != null && owner.expiresAtMs <= nowMs ? "user_expired" : null;
}

export interface PricingRules {
  readonly "pricing.billedModel": "requested" | "redirected";
  readonly "pricing.unknownModel": "refuse" | "record";
}

/**
 * The price of what a provider would serve: that of the requested model or, if so configured, of the model sent upstream. A
 * routing rule's model is a redirect that precedes the provider's own.
 */
export function priceInForce<P>(
  prices: ReadonlyMap<string, P>,
  rules: PricingRules,
  provider: Pick<ModelRules, "modelRedirects">,
  model: string,
  routedModel = model,
): P | null {
  const billed = rules["pricing.billedModel"] === "redirected" ? upstreamModelOf(provider, routedModel) : model;
  return prices.get(billed) ?? null;
}

/** Whether a request without a price is refused. Requests that cost nothing need none. */
export function priceRefusal(price: unknown, rules: PricingRules, isBillable: boolean): Extract<ErrorCode, "unpriced_model"> | null {
  return isBillable && price === null && rules["pricing.unknownModel"] === "refuse" ? "unpriced_model" : null;
}
