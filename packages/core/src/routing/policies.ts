/**
 * What a key may be used for, by which clients and from where: its own policies and its owner's must both allow a request. They
 * belong to the key rather than to a path, so they are checked for every dialect and endpoint.
 */
import type { Policies } from "../inputs/policies.ts";
import { inRanges } from "./address-ranges.ts";
import { matchesAny } from "./model-patterns.ts";

/** The policy that stopped a request; also its error code. */
export type PolicyCode = "address_not_allowed" | "client_not_allowed" | "model_not_allowed";

export interface PolicyRefusal {
  code: PolicyCode;
  /** Whose policy it is. */
  owner: "key" | "user";
  /** For the client: what was refused, and by whose policy. */
  message: string;
}

interface Ruled {
  readonly policies?: Policies | null | undefined;
}

/** A longer user agent is most likely an experiment. */
const LONGEST_AGENT = 512;

type Matches = (text: string) => boolean;

/**
 * A star matches any text. Each part between stars is searched once, from the end of the previous one, without backtracking: no
 * pattern can be made expensive.
 */
function compileGlob(pattern: string): Matches {
  const parts = pattern.toLowerCase().split("*");
  const [first = ""] = parts;
  const last = parts.at(-1) ?? "";
  if (parts.length === 1) return (text) => text === first;
  return (text) => {
    if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return false;
    let at = first.length;
    const end = text.length - last.length;
    for (const part of parts.slice(1, -1)) {
      const found = text.indexOf(part, at);
      if (found < 0 || found + part.length > end) return false;
      at = found + part.length;
    }
    return true;
  };
}

function anyGlob(patterns: readonly string[]): Matches {
  const globs = patterns.map(compileGlob);
  return (agent) => {
    const text = agent.slice(0, LONGEST_AGENT).toLowerCase();
    return globs.some((matches) => matches(text));
  };
}

const kinds = { models: matchesAny, allowedClients: anyGlob, blockedClients: anyGlob, addresses: inRanges } as const;

/** Compiled lists live as long as their configuration. */
const compiled = new WeakMap<readonly string[], Matches>();

/** null = no policy of this kind. */
function matcherOf(policies: Policies, kind: keyof typeof kinds): Matches | null {
  const list = policies[kind];
  if (!list || list.length === 0) return null;
  let matches = compiled.get(list);
  if (!matches) {
    matches = kinds[kind](list);
    compiled.set(list, matches);
  }
  return matches;
}

const whose = { key: "this key", user: "this key's owner" } as const;

function firstOf(key: Ruled, user: Ruled | undefined, look: (policies: Policies, owner: "key" | "user") => PolicyRefusal | null) {
  return (key.policies && look(key.policies, "key")) ?? (user?.policies && look(user.policies, "user")) ?? null;
}

/** Checks whether the key may be used from this address. */
export function addressRefusal(key: Ruled, user: Ruled | undefined, address: string): PolicyRefusal | null {
  return firstOf(key, user, (policies, owner) =>
    matcherOf(policies, "addresses")?.(address) === false
      ? {
          code: "address_not_allowed",
          owner,
          message: `${address || "This address"} is not an allowed address for ${whose[owner]} (policy: addresses).`,
        }
      : null,
  );
}

/** Checks whether the client, by its User-Agent, may use the key. An empty User-Agent only matches a single star. */
export function clientRefusal(key: Ruled, user: Ruled | undefined, userAgent: string): PolicyRefusal | null {
  return firstOf(key, user, (policies, owner) => {
    if (matcherOf(policies, "blockedClients")?.(userAgent))
      return { code: "client_not_allowed", owner, message: `This client is blocked for ${whose[owner]} (policy: blocked clients).` };
    if (matcherOf(policies, "allowedClients")?.(userAgent) === false)
      return {
        code: "client_not_allowed",
        owner,
        message: `This client is not allowed for ${whose[owner]} (policy: allowed clients).`,
      };
    return null;
  });
}

/** Checks whether the model, by the name that the client requests, may be called. */
export function modelRefusal(key: Ruled, user: Ruled | undefined, model: string): PolicyRefusal | null {
  return firstOf(key, user, (policies, owner) =>
    matcherOf(policies, "models")?.(model) === false
      ? {
          code: "model_not_allowed",
          owner,
          message: `The model ${model} is not allowed for ${whose[owner]} (policy: allowed models).`,
        }
      : null,
  );
}
