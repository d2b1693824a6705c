import { effectiveCount } from "@sluice/core/limits/effective-count";
import type { RateSecond } from "@sluice/core/limits/rate-usage";
import { z } from "zod";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import { readOwnKey } from "./get-own-key.ts";

export const KeyLimitsInput = z.strictObject({ id: z.uuid() });

/** One limit as it applies to a key. */
export interface KeyLimit {
  limit: "rpm" | "in_flight";
  /** null = nothing limits. */
  value: number | null;
  /** Whose limit it is: where it can be changed. Groups and users will have limits of their own. */
  owner: { kind: "key" | "user" | "group"; id: string; name: string } | null;
}

/** What limits a key, and what of it is used now. The rate goes on by the clock: see core/limits/rate-usage. */
export interface KeyLimits {
  limits: KeyLimit[];
  /** Requests in flight that count against a limit. */
  inFlight: number;
  rate: RateSecond[];
  serverNowMs: number;
}

/** @throws SluiceError `not_found` (also for another user's key). */
export async function getKeyLimits(ctx: Ctx, input: z.input<typeof KeyLimitsInput>): Promise<KeyLimits> {
  requireAccess(ctx.actor, "user");
  const { id } = parse(KeyLimitsInput, input);
  const key = await readOwnKey(ctx, id);
  const usage = await ctx.limits.usage(id);
  return { limits: effectiveLimits(key), ...usage, serverNowMs: ctx.clock.now() };
}

/** The nearest owner's value of each limit. */
export function effectiveLimits(key: { id: string; name: string; rpm: number | null; inFlight: number | null }): KeyLimit[] {
  const of = (limit: KeyLimit["limit"], count: number | null): KeyLimit => {
    const value = effectiveCount(count);
    return { limit, value, owner: value === null ? null : { kind: "key", id: key.id, name: key.name } };
  };
  return [of("rpm", key.rpm), of("in_flight", key.inFlight)];
}
