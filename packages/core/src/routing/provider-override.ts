/**
 * An administrator's word over the breakers of one provider, for a while.
 *
 * open    no request goes there, whatever the breakers say.
 * drain   only requests of sessions that are bound to it; nothing new.
 * closed  breakers are ignored; they go on learning, so that they are right when the override ends.
 *
 * It ends by the clock alone: each decision compares, so nobody has to take it away.
 */
export const overrideKinds = ["open", "drain", "closed"] as const;
export type OverrideKind = (typeof overrideKinds)[number];

export interface ProviderOverride {
  readonly kind: OverrideKind;
  /** ms since the epoch; null = until it is lifted. */
  readonly untilMs: number | null;
  readonly note: string;
}

/** The override in force, or null. */
export function overrideNow(provider: { readonly override?: ProviderOverride | null }, nowMs: number): OverrideKind | null {
  const override = provider.override;
  if (!override) return null;
  return override.untilMs === null || nowMs < override.untilMs ? override.kind : null;
}
