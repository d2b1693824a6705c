import { familyOf } from "@sluice/core/dialects/model-family";
import type { ErrorCode } from "@sluice/core/errors";
import { CheckKeyInput } from "@sluice/core/inputs/key";
import type { Policies } from "@sluice/core/inputs/policies";
import type { LimitKind } from "@sluice/core/limits/limit-values";
import { rateFreesAtMs, rateUsed } from "@sluice/core/limits/rate-usage";
import type { Decision, DialectName, Endpoint } from "@sluice/core/requests";
import { chooseCandidates } from "@sluice/core/routing/choose-candidates";
import { addressRefusal, clientRefusal, modelRefusal, type PolicyRefusal } from "@sluice/core/routing/policies";
import { keyRefusal, priceInForce, priceRefusal } from "@sluice/core/routing/refusals";
import { matchRoutingRule } from "@sluice/core/routing/routing-rules";
import type { Key } from "@sluice/db/generated/client";
import type { Config, UserConfig } from "@sluice/snapshot/config";
import type { z } from "zod";
import { isAdmin, requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import { toPolicies } from "../policies/to-policies.ts";
import { strategyNow } from "../providers/strategy-now.ts";
import { type KeyLimits, keyLimits, type LimitOwnerUse } from "./get-key-limits.ts";
import { readOwnKey } from "./get-own-key.ts";

/** One rule that a request must pass, in the gateway's order. */
export interface KeyCheckRule {
  rule: "key" | "owner" | "address" | "client" | "model" | "providers" | "price" | LimitKind;
  /** null = not decided: an earlier rule failed, or the rule needs a client or an address that was not given. */
  passed: boolean | null;
  /** Code of the error that a client would get; null when the rule passes. */
  code: ErrorCode | null;
  /** For a limit: its value, what is used and reserved of it (costs in nano-USD), and its owner. */
  limit?: number;
  used?: number;
  owner?: { kind: LimitOwnerUse["kind"]; name: string };
  /** When the limit has room again, in ms since the epoch, as far as time alone decides it. */
  freesAtMs?: number | null;
}

/** Whether a key may call a model now. */
export interface KeyCheck {
  model: string;
  dialect: DialectName;
  endpoint: Endpoint;
  group: string;
  /** Whether every rule passes. */
  allowed: boolean;
  rules: KeyCheckRule[];
  /** Where the request would go, and why not elsewhere; administrators only. */
  decision: Decision | null;
  atMs: number;
}

/** The call that clients of each dialect make. */
const endpoints = { anthropic: "messages", openai: "chat", gemini: "generateContent" } as const;

/**
 * Answers "can this key call this model now, and if not, why": the gateway's own functions over the same configuration, breakers and
 * limits. Takes nothing: no place in a limit, no breaker probe, no session binding.
 * @throws SluiceError `not_found` (also for another user's key).
 */
export async function checkKey(ctx: Ctx, input: z.input<typeof CheckKeyInput>): Promise<KeyCheck> {
  requireAccess(ctx.actor, "key");
  const { id, model, dialect = familyOf(model), ...caller } = parse(CheckKeyInput, input);
  const key = await readOwnKey(ctx, id);
  const limits = await keyLimits(ctx, key);
  const config = ctx.snapshot.current();
  const nowMs = ctx.clock.now();
  const endpoint = endpoints[dialect];
  const rule = matchRoutingRule(config.settings["routing.rules"], {
    ...{ model, keyId: id, dialect, path: "", bodyBytes: 0, stickyId: "", nowMs },
    userEmail: config.users.get(key.userId)?.email.toLowerCase() ?? "",
    headers: { "user-agent": caller.userAgent },
  });
  const choice = chooseCandidates({
    ...{ providers: config.providers, group: rule?.group ?? key.group, dialect, endpoint, model: rule?.model ?? model, rule, nowMs },
    breakerStateOf: (providerId, upstreamModel) => ctx.breakers.stateOf(providerId, upstreamModel),
    ...{ ...(await strategyNow(ctx, model, rule?.model)), stickyProviderId: null, failed: new Set<string>() },
  });
  const first = choice.ordered[0];
  const price = first ? priceRefusal(priceInForce(config.prices, config.settings, first, model, rule?.model), config.settings, true) : null;
  const rules = [
    ...stateRules(config, key, nowMs),
    ...policyRules(key, config.users.get(key.userId), { model, ...caller }),
    verdict("providers", choice.none),
    first ? verdict("price", price) : { rule: "price" as const, passed: null, code: null },
    ...limitRules(limits, nowMs),
  ];
  const allowed = rules.every(({ passed }) => passed !== false);
  return { model, dialect, endpoint, group: key.group, allowed, rules, decision: isAdmin(ctx) ? choice.decision : null, atMs: nowMs };
}

function verdict(rule: KeyCheckRule["rule"], code: ErrorCode | null): KeyCheckRule {
  return { rule, passed: code === null, code };
}

/** The state of the key and of its owner, as separate rules. */
function stateRules(config: Config, key: Key, nowMs: number): KeyCheckRule[] {
  const owner = config.users.get(key.userId);
  const state = { enabled: key.disabledAt === null, expiresAtMs: key.expiresAt?.getTime() ?? null };
  const own = key.revokedAt ? "invalid_key" : keyRefusal(state, { enabled: true }, nowMs);
  return [verdict("key", own), verdict("owner", keyRefusal({ enabled: true, expiresAtMs: null }, owner, nowMs))];
}

interface Asker {
  model: string;
  userAgent?: string | undefined;
  address?: string | undefined;
}

/** The policies that exist, of the key and of its owner. */
function policyRules(key: Key, owner: UserConfig | undefined, { model, userAgent, address }: Asker): KeyCheckRule[] {
  const own = { policies: toPolicies(key.policies) };
  const said = [own.policies, owner?.policies];
  const rule = (name: "address" | "client" | "model", isSaid: boolean, refusal: PolicyRefusal | null | undefined): KeyCheckRule[] => {
    if (!isSaid) return [];
    if (refusal === undefined) return [{ rule: name, passed: null, code: null }];
    return [{ ...verdict(name, refusal?.code ?? null), ...(refusal && { owner: { kind: refusal.owner, name: owner?.name ?? "" } }) }];
  };
  const has = (kind: keyof Policies): boolean => said.some((policies) => policies?.[kind] !== undefined);
  return [
    ...rule("address", has("addresses"), address === undefined ? undefined : addressRefusal(own, owner, address)),
    ...rule(
      "client",
      has("allowedClients") || has("blockedClients"),
      userAgent === undefined ? undefined : clientRefusal(own, owner, userAgent),
    ),
    ...rule("model", has("models"), modelRefusal(own, owner, model)),
  ];
}

const limitCodes = { rpm: "rate_limited", tpm: "tokens_limited", in_flight: "in_flight_limited" } as const;

/** One rule per limit that applies. Whether a cost fits depends on the request; this checks only whether anything is left. */
function limitRules({ limits, owners, windows }: KeyLimits, nowMs: number): KeyCheckRule[] {
  return limits.flatMap(({ limit, value, owner: index }): KeyCheckRule[] => {
    const owner = owners[index];
    if (!owner) return [];
    const of = { limit: value, owner: { kind: owner.kind, name: owner.name } };
    if (limit === "in_flight") {
      const isFull = owner.inFlight >= value;
      return [{ ...verdict(limit, isFull ? limitCodes[limit] : null), ...of, used: owner.inFlight, freesAtMs: null }];
    }
    if (limit === "rpm" || limit === "tpm") {
      const rate = limit === "rpm" ? owner.rate : owner.tokens;
      const used = rateUsed(rate, nowMs);
      return [{ ...verdict(limit, used < value ? null : limitCodes[limit]), ...of, used, freesAtMs: rateFreesAtMs(rate, value, nowMs) }];
    }
    const used = (owner.spent?.[limit] ?? 0) + owner.reserved;
    const isSpent = used >= value;
    return [
      { ...verdict(limit, isSpent ? "cost_limited" : null), ...of, used, freesAtMs: isSpent ? (windows[limit]?.endMs ?? null) : null },
    ];
  });
}
