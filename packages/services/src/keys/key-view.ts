import type { Policies } from "@sluice/core/inputs/policies";
import type { LimitsView } from "../limits/limits-view.ts";
import type { UsageTotals } from "../lists/usage-totals.ts";

/** A key as lists show it: never its secret, of which only the hash is kept. */
export interface KeyView extends LimitsView {
  id: string;
  userId: string;
  name: string;
  group: string;
  /** `sk-sluice-Ab3d…9xYz`. */
  preview: string;
  rpm: number | null;
  inFlight: number | null;
  expiresAtMs: number | null;
  /** null = it may be used for anything. */
  policies: Policies | null;
  tags: string[];
  enabled: boolean;
  revokedAtMs: number | null;
  /** Until then the secret before the last rotation works too; null = never rotated. It may have passed. */
  previousValidUntilMs: number | null;
  createdAtMs: number;
}

/** A key in a list, with what was asked for of {@link file://./list-keys.ts}. */
export interface KeyItem extends KeyView {
  owner?: { name: string; email: string };
  totals?: UsageTotals;
}

/** The only moment at which a key's secret exists outside its owner's hands. */
export interface CreatedKey {
  key: KeyView;
  secret: string;
}
