import type { Policies } from "@sluice/core/inputs/policies";

const lists = ["models", "allowedClients", "blockedClients", "addresses"] as const;

/** Each list of a policy, in the order of the form. */
export const policyLists = lists;
type PolicyList = (typeof lists)[number];

/** The form's values of policies: lists as lines, as typed. */
export interface PolicyValues {
  policies: Record<PolicyList | "validDays", string>;
  expiresAtMs: string;
}

/** Policies as the server returns them. */
interface SetPolicies {
  policies: Policies | null;
  expiresAtMs: number | null;
}

export function policyValuesOf(set: SetPolicies | null): PolicyValues {
  const policies = set?.policies ?? {};
  const lines = (list: PolicyList): string => (policies[list] ?? []).join("\n");
  return {
    policies: {
      models: lines("models"),
      allowedClients: lines("allowedClients"),
      blockedClients: lines("blockedClients"),
      addresses: lines("addresses"),
      validDays: policies.validDays === undefined ? "" : String(policies.validDays),
    },
    expiresAtMs: dayOf(set),
  };
}

/** The fields as input, given the stored values `set`; text that is no number or address is left for the schema to refuse. */
export function policiesInput({ policies, expiresAtMs }: PolicyValues, set: SetPolicies | null) {
  const filled = lists.flatMap((list) => {
    const items = policies[list].split("\n").flatMap((line) => line.trim() || []);
    return items.length > 0 ? [[list, items] as const] : [];
  });
  const days = policies.validDays.trim();
  const said: Policies = { ...Object.fromEntries(filled), ...(days !== "" && { validDays: Number(days) }) };
  // An unchanged day keeps its exact time: the end of the day would be later (or in another zone) and could revive an expired key.
  return { policies: said, expiresAtMs: expiresAtMs === dayOf(set) ? (set?.expiresAtMs ?? null) : dayEnd(expiresAtMs) };
}

function dayOf(set: SetPolicies | null): string {
  return set?.expiresAtMs ? localDay(set.expiresAtMs) : "";
}

function localDay(ms: number): string {
  return new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
}

/** A key expires at the end of the chosen local day. */
function dayEnd(day: string): number | null {
  if (!day) return null;
  const at = new Date(`${day}T23:59:59.999`).getTime();
  return Number.isNaN(at) ? null : at;
}
