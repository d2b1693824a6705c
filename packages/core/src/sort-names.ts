/** What lists of keys and users sort by; ties are broken by id. Apart from the inputs, so that a browser can read an address without them. */
export const sortNames = ["created", "name", "lastUsed", "requests", "tokens"] as const;
export type SortName = (typeof sortNames)[number];
