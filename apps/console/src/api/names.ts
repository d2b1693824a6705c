import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { api, type Outputs } from "./client.ts";

type Names = Outputs["names"]["list"];

export interface NameLookup {
  provider(id: string): string;
  key(id: string): string;
  user(id: string): string;
  list: Names;
}

const none: Names = { providers: [], keys: [], users: [] };

/** Names by id, for rows that carry ids only. An unknown id shows its last characters, an empty one nothing. */
export function useNames(): NameLookup {
  const { data = none } = useQuery(api.names.list.queryOptions());
  return useMemo(() => {
    const of = (items: readonly { id: string; name: string }[]) => {
      const names = new Map(items.map(({ id, name }) => [id, name]));
      return (id: string): string => names.get(id) ?? id.slice(-8);
    };
    return { provider: of(data.providers), key: of(data.keys), user: of(data.users), list: data };
  }, [data]);
}
