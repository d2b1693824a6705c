import type { LimitedOwner, Refusal } from "@sluice/admission/admission";
import { SluiceError } from "@sluice/core/errors";
import { appliedLimits } from "@sluice/core/limits/limit-values";
import { formatUsd } from "@sluice/core/money";
import type { Config, KeyConfig } from "@sluice/snapshot/config";
import type { Call } from "../call.ts";
import type { Runtime } from "../context.ts";
import { largestCharge } from "../largest-use.ts";

/** Takes the limits of key, user and group, all or none. Synchronous when none of them has limits, and without Redis if all have room. */
export function admit(runtime: Runtime, call: Call): Promise<void> | void {
  const { key } = call;
  if (!key) throw new SluiceError("invalid_key");
  const { owners, limitsCost } = limitedOf(call.config, key, call.row.group);
  if (owners.length === 0) return;
  // Set before the answer: a lease taken for a client that leaves meanwhile must be given back too.
  call.leased = true;
  const pending = runtime.admission.admit({
    requestId: call.id,
    startedAtMs: call.row.startedAtMs,
    owners,
    tokens: call.envelope?.inputEstimate ?? 0,
    costNanoUsd: limitsCost ? largestCharge(call, call.choice?.ordered ?? []) : 0,
    signal: call.abort,
  });
  return pending?.then((refusal) => {
    if (!refusal) return;
    call.leased = false;
    throw refused(runtime, call, refusal);
  });
}

interface Limited {
  owners: readonly LimitedOwner[];
  /** One of them limits the cost. */
  limitsCost: boolean;
}

const limitedByKey = new WeakMap<KeyConfig, Limited>();

/**
 * Those of key, user and group that have limits, in this order. Cached per key of a configuration, except for requests
 * that a routing rule moves to another group.
 */
function limitedOf(config: Config, key: KeyConfig, group: string): Limited {
  const known = group === key.group ? limitedByKey.get(key) : undefined;
  if (known) return known;
  const all = [
    { owner: "key" as const, id: key.id, values: key },
    { owner: "user" as const, id: key.userId, values: config.users.get(key.userId) ?? {} },
    { owner: "group" as const, id: group, values: config.groups.get(group) ?? {} },
  ];
  const owners = all.filter(({ values }) => appliedLimits(values) !== null);
  const limited = { owners, limitsCost: owners.some(({ values }) => appliedLimits(values)?.costs) };
  if (group === key.group) limitedByKey.set(key, limited);
  return limited;
}

const codes = { rpm: "rate_limited", tpm: "tokens_limited", in_flight: "in_flight_limited" } as const;
const kinds = {
  rpm: "requests per minute",
  tpm: "tokens per minute",
  in_flight: "requests in flight",
  total: "in total",
  "5h": "per five hours",
  day: "per day",
  week: "per week",
  month: "per month",
} as const;

function refused(runtime: Runtime, call: Call, refusal: Refusal): SluiceError {
  const { limit, owner, ownerId, value, used, wantedNanoUsd, resetAtMs, retryAfterS } = refusal;
  const whose = owner === "group" ? `group ${ownerId}` : `this ${owner}`;
  const again = retryAfterS === null ? "" : ` Try again in ${retryAfterS} s.`;
  const options = {
    detail: `${limit} of ${owner} ${ownerId}`,
    facts: { kind: "limit", limit, owner, ownerId, value, used, wantedNanoUsd, resetAtMs },
    ...(retryAfterS === null ? {} : { retryAfterS }),
  } as const;
  if (limit === "in_flight" || limit === "rpm" || limit === "tpm") {
    const unit = limit === "rpm" ? "requests" : "tokens";
    const nowMs = runtime.clock.now();
    if (limit !== "in_flight") {
      const notice = { unit, limit: value, remaining: Math.max(0, value - used), resetAtMs: resetAtMs ?? nowMs, nowMs } as const;
      call.limitHeaders = call.dialect.limitHeaders(notice);
    }
    return new SluiceError(codes[limit], { ...options, message: `The limit of ${value} ${kinds[limit]} of ${whose} is reached.${again}` });
  }
  const usd = (nano: number): string => `$${formatUsd(BigInt(Math.round(nano)))}`;
  const reset = resetAtMs === null ? "" : ` The limit has room again at ${new Date(resetAtMs).toISOString()}.`;
  return new SluiceError("cost_limited", {
    ...options,
    message: `The limit of ${usd(value)} ${kinds[limit]} of ${whose} is reached: ${usd(used)} is used or reserved, and this request may cost ${usd(wantedNanoUsd)}.${reset}`,
  });
}
