import type { FilterOptions } from "@sluice/core/statistics";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { api } from "../api/client.ts";
import { seenModels } from "../live/seen-models.ts";
import { useStore } from "../live/store.ts";

/** The options of filters: read once, plus every model that a pushed request has named since. */
export function useFilterOptions(): FilterOptions | undefined {
  const { data } = useQuery(api.statistics.filterOptions.queryOptions());
  const seen = useStore(seenModels);
  return useMemo(() => data && { ...data, models: [...new Set([...data.models, ...seen])].sort() }, [data, seen]);
}
