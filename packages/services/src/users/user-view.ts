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
  /** When their keys end. */
  expiresAtMs: number | null;
  /** What all of their keys may be used for; null = anything. */
  policies: Policies | null;
  createdAtMs: number;
}

/** What of a user's account a list shows; decimal nano-USD. */
export type UserCredit = Pick<AccountView, "billing" | "balanceNanoUsd" | "availableNanoUsd">;

/** A user in a list, with what was asked for. */
export interface UserItem extends Omit<UserView, "email"> {
  email?: string;
  totals?: UsageTotals;
  /** Keys that are not revoked, counted to 100. */
  keys?: number;
  credit?: UserCredit;
}
