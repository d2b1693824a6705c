import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { api } from "../../api/client.ts";
import { seenModels } from "../../live/seen-models.ts";
import { useStore } from "../../live/store.ts";

/**
 * Models that a filter can offer: those of the last 30 days, read once when first needed, and all that pushed requests have named since.
 */
export function useModels(): { models: readonly string[]; read(): void } {
  const [wanted, setWanted] = useState(false);
  const { data } = useQuery({ ...api.logs.models.queryOptions(), enabled: wanted });
  const seen = useStore(seenModels);
  const models = useMemo(() => [...new Set([...(data ?? []), ...seen])].sort(), [data, seen]);
  return { models, read: () => setWanted(true) };
}
