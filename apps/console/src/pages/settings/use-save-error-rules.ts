import type { ErrorRule } from "@sluice/core/inputs/error-rules";
import { useQueryClient } from "@tanstack/react-query";
import { api, client } from "../../api/client.ts";

/** Saves the rules made of those that are in force, which what is saved becomes before anything else can be changed. */
export function useSaveErrorRules(): (change: (rules: readonly ErrorRule[]) => ErrorRule[]) => Promise<void> {
  const queries = useQueryClient();
  return async (change) => {
    const { "upstream.errorRules": rules } = await queries.fetchQuery({ ...api.settings.get.queryOptions(), staleTime: 0 });
    const settings = await client.settings.update.mutate({ "upstream.errorRules": change(rules) });
    queries.setQueryData(api.settings.get.queryKey(), settings);
  };
}
