import type { RoutingRule } from "@sluice/core/inputs/routing-rules";
import { useQueryClient } from "@tanstack/react-query";
import { api, client } from "../../api/client.ts";

/** Saves the rules made of those that are in force, which what is saved becomes before anything else can be changed. */
export function useSaveRoutingRules(): (change: (rules: readonly RoutingRule[]) => RoutingRule[]) => Promise<void> {
  const queries = useQueryClient();
  return async (change) => {
    const { "routing.rules": rules } = await queries.fetchQuery({ ...api.settings.get.queryOptions(), staleTime: 0 });
    const settings = await client.settings.update.mutate({ "routing.rules": change(rules) });
    queries.setQueryData(api.settings.get.queryKey(), settings);
  };
}
