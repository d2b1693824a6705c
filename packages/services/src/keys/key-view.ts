import type { Policies } from "@sluice/core/inputs/policies";
import type { LimitsView } from "../limits/limits-view.ts";
import type { UsageTotals } from "../lists/usage-totals.ts";

/** A key as lists show it, without its secret, of which only the hash is stored. */
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
  /** null = unrestricted. */
  policies: Policies | null;
  tags: string[];
  enabled: boolean;
  revokedAtMs: number | null;
  /** End of the overlap in which the secret before the last rotation works too; may lie in the past. null = never rotated. */
  previousValidUntilMs: number | null;
  createdAtMs: number;
}

/** A key in a list, with the optional fields requested from {@link file://./list-keys.ts}. */
export interface KeyItem extends KeyView {
  owner?: { name: string; email: string };
  totals?: UsageTotals;
}

/** The only time that a key's secret is returned. */
export interface CreatedKey {
  key: KeyView;
  secret: string;
}
