/**
 * An administrator's temporary override of a provider's breakers.
 *
 * open    no request goes there, whatever the breakers say.
 * drain   only requests of sessions bound to it, nothing new.
 * closed  breakers are ignored but keep learning, so that they are right when the override ends.
 *
 * It ends by the clock alone: each decision compares the time, so nothing has to remove it.
 */
export const overrideKinds = ["open", "drain", "closed"] as const;
export type OverrideKind = (typeof overrideKinds)[number];

export interface ProviderOverride {
  readonly kind: OverrideKind;
  /** ms since the epoch; null = until it is removed. */
  readonly untilMs: number | null;
  readonly note: string;
}

/** The override in force, or null. */
export function overrideNow(provider: { readonly override?: ProviderOverride | null }, nowMs: number): OverrideKind | null {
  const override = provider.override;
  if (!override) return null;
  return override.untilMs === null || nowMs < override.untilMs ? override.kind : null;
}
