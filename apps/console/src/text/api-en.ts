/** The texts of the page about the REST API; loaded with it, not with every page. */
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
  /** Below what the reader may call: the others need more than they have. */
  more: string;
  access: Record<"key" | "user" | "admin", string>;
  parameters: string;
  place: Record<"path" | "query" | "body", string>;
  required: string;
  characters: string;
  /** Before the value of what is left out. */
  byDefault: string;
  nothing: string;
  answer: string;
  /** Names of tags and summaries of operations where the language is not that of the document, which is English. */
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
