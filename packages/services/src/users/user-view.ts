import type { Policies } from "@sluice/core/inputs/policies";
import type { AccountView } from "../credits/credit-view.ts";
import type { LimitsView } from "../limits/limits-view.ts";
import type { UsageTotals } from "../lists/usage-totals.ts";

/** A user as admins see it. */
export interface UserView extends LimitsView {
  id: string;
  email: string;
  name: string;
  role: "admin" | "user";
  enabled: boolean;
  hasPassword: boolean;
  /** When their keys expire. */
  expiresAtMs: number | null;
  /** Policies that apply to all of their keys; null = unrestricted. */
  policies: Policies | null;
  createdAtMs: number;
}

/** The part of a user's account that a list shows; nano-USD as decimal text. */
export type UserCredit = Pick<AccountView, "billing" | "balanceNanoUsd" | "availableNanoUsd">;

/** A user in a list, with the requested optional fields. */
export interface UserItem extends Omit<UserView, "email"> {
  email?: string;
  totals?: UsageTotals;
  /** Keys that are not revoked, counted up to 100. */
  keys?: number;
  credit?: UserCredit;
}
