/** The texts of the REST API page; loaded with it, not with every page. */
export interface ApiTexts {
  lead: string;
  address: string;
  document: string;
  credentials: string;
  ofKey: string;
  ofLogin: string;
  signIn: string;
  values: string;
  valuesText: string;
  search: string;
  none: string;
  /** Heading above the operations that need more rights than the reader has. */
  more: string;
  access: Record<"key" | "user" | "admin", string>;
  parameters: string;
  place: Record<"path" | "query" | "body", string>;
  required: string;
  characters: string;
  /** Before the default value. */
  byDefault: string;
  nothing: string;
  answer: string;
  /** Names of tags and summaries of operations, in languages other than the document's, which is English. */
  tags: Record<string, string>;
  summaries: Record<string, string>;
}

export const apiEn: ApiTexts = {
  lead: "What this console shows, for programs: JSON over HTTP, described by an OpenAPI document.",
  address: "Base address",
  document: "OpenAPI document",
  credentials: "Credentials",
  ofKey: "A key, as Authorization: Bearer …, sees what came by that key and changes nothing.",
  ofLogin: "A login, by its cookie, may do what its owner may; a call that changes something names the Origin.",
  signIn: "Sign in",
  values: "Values",
  valuesText:
    "Amounts in …NanoUsd are integers as text (10⁻⁹ USD), in …Usd plain decimals. Times are milliseconds since 1970 in UTC. A parameter with several values is repeated.",
  search: "Path, name or word",
  none: "No operation is called that.",
  more: "What else there is needs more rights than yours.",
  access: { key: "Key or login", user: "Login", admin: "Administrator" },
  parameters: "Parameters",
  place: { path: "path", query: "query", body: "body" },
  required: "required",
  characters: "characters",
  byDefault: "default",
  nothing: "Takes nothing.",
  answer: "Answer",
  tags: {},
  summaries: {},
};
