/** Sort orders of keys and users; ties are broken by id. Separate from the inputs, so that a browser can parse an address without them. */
export const sortNames = ["created", "name", "lastUsed", "requests", "tokens"] as const;
export type SortName = (typeof sortNames)[number];
