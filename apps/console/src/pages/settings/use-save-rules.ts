import { useQueryClient } from "@tanstack/react-query";
import type { z } from "zod";
import { api, client, type Outputs } from "../../api/client.ts";

/** Settings that are ordered lists of named rules. */
export type RuleSetting = "routing.rules" | "upstream.errorRules";
export type RuleOf<S extends RuleSetting> = Outputs["settings"]["get"][S][number];

export interface RuleChange<R> {
  /** Computes the new rules from those in force. */
  make(rules: readonly R[]): R[];
  /** The edited rule as it was read: if somebody else has changed or removed it, nothing is saved. */
  was?: R | null;
}

/** Saves rules computed from those in force. The saved ones are in the query cache before anything else can be changed. */
export function useSaveRules<S extends RuleSetting>(setting: S): (change: RuleChange<RuleOf<S>>) => Promise<void> {
  const queries = useQueryClient();
  return async ({ make, was = null }) => {
    const settled = await queries.fetchQuery({ ...api.settings.get.queryOptions(), staleTime: 0 });
    const rules = settled[setting] as RuleOf<S>[];
    const isThere = rules.some(({ name }) => name === was?.name);
    const expected = was && !isThere ? [...rules, was] : was ? withRule(rules, was, was) : rules;
    const settings = await client.settings.update.mutate({ [setting]: make(rules), expected: { [setting]: expected } });
    queries.setQueryData(api.settings.get.queryKey(), settings);
  };
}

/** The rules with `was` replaced by `is`, or with `is` at the end if `was` is null. */
export function withRule<R extends { name: string }>(rules: readonly R[], was: R | null, is: R): R[] {
  return was ? rules.map((one) => (one.name === was.name ? is : one)) : [...rules, is];
}

/** The schema of a rule, which also refuses a name that another of the rules has. */
export function uniquelyNamed<S extends z.ZodType<{ name: string }>>(
  schema: S,
  rules: readonly { name: string }[],
  own: string | undefined,
): S {
  const taken = new Set(rules.map(({ name }) => name).filter((name) => name !== own));
  return schema.refine(({ name }) => !taken.has(name), { path: ["name"], message: "" });
}
