import type { LimitedOwner } from "@sluice/admission/admission";
import { uuidField } from "@sluice/core/inputs/uuid";
import { type AppliedLimits, appliedLimits, type CostKind, costKinds, type LimitKind, limitKinds } from "@sluice/core/limits/limit-values";
import type { RateSecond } from "@sluice/core/limits/rate-usage";
import type { Key } from "@sluice/db/generated/client";
import { z } from "zod";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { toLimitValues } from "../limits/limits-view.ts";
import { parse } from "../parse.ts";
import { readOwnKey } from "./get-own-key.ts";

export const KeyLimitsInput = z.strictObject({ id: uuidField });

/** What counts against an owner's limits now. Rates decay with time: see core/limits/rate-usage. */
export interface LimitOwnerUse {
  kind: "key" | "user" | "group";
  id: string;
  name: string;
  inFlight: number;
  rate: RateSecond[];
  tokens: RateSecond[];
  /** nano-USD by window; null when the ledger cannot be read. */
  spent: Partial<Record<CostKind, number>> | null;
  /** nano-USD that requests in flight may still cost. */
  reserved: number;
}

/** One limit that applies to a key. */
export interface KeyLimit {
  limit: LimitKind;
  /** Costs in nano-USD. */
  value: number;
  /** The owner of the limit, where it can be changed: an index into `owners`. */
  owner: number;
}

/** The bounds of a fixed cost window; null = it rolls, or never resets. */
export type WindowEnds = Partial<Record<CostKind, { startMs: number; endMs: number } | null>>;

/** The limits of a key, in the order in which requests are checked against them, with their current use. */
export interface KeyLimits {
  limits: KeyLimit[];
  owners: LimitOwnerUse[];
  windows: WindowEnds;
  serverNowMs: number;
}

/** @throws SluiceError `not_found` (also for another user's key). */
export async function getKeyLimits(ctx: Ctx, input: z.input<typeof KeyLimitsInput>): Promise<KeyLimits> {
  requireAccess(ctx.actor, "key");
  const { id } = parse(KeyLimitsInput, input);
  return keyLimits(ctx, await readOwnKey(ctx, id));
}

/** The limits of key, user and group that apply to a key, with their current use. */
export async function keyLimits(ctx: Ctx, key: Key): Promise<KeyLimits> {
  const limited = limitedOwners(ctx, key);
  const owners = await Promise.all(
    limited.map(async ({ name, ...owner }): Promise<LimitOwnerUse> => {
      const usage = await ctx.limits.usage(owner);
      return { kind: owner.owner, id: owner.id, name, ...usage };
    }),
  );
  const limits = limitKinds.flatMap((limit) =>
    limited.flatMap(({ values }, owner) => {
      const value = appliedValue(limit, appliedLimits(values));
      return value === null ? [] : { limit, value, owner };
    }),
  );
  const { fixed } = ctx.limits.windows();
  const windows: WindowEnds = Object.fromEntries(costKinds.map((kind) => [kind, kind === "total" ? null : (fixed[kind] ?? null)]));
  return { limits, owners, windows, serverNowMs: ctx.clock.now() };
}

type Limited = LimitedOwner & { owner: "key" | "user" | "group"; name: string };

/** Those of key, user and group that have limits, in the order in which they are checked. */
function limitedOwners(ctx: Ctx, key: Key): Limited[] {
  const { users, groups } = ctx.snapshot.current();
  const user = users.get(key.userId);
  const all: Limited[] = [
    { owner: "key", id: key.id, name: key.name, values: toLimitValues(key) },
    { owner: "user", id: key.userId, name: user?.name ?? "", values: user ?? {} },
    { owner: "group", id: key.group, name: key.group, values: groups.get(key.group) ?? {} },
  ];
  return all.filter(({ values }) => appliedLimits(values) !== null);
}

/** The value of a limit in force; null = unlimited. */
function appliedValue(limit: LimitKind, applied: AppliedLimits | null): number | null {
  if (!applied) return null;
  if (limit === "rpm" || limit === "tpm") return applied[limit];
  if (limit === "in_flight") return applied.inFlight;
  return applied.costs?.[limit] ?? null;
}
