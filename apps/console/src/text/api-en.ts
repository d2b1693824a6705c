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
  lead: "The data of this console for programs: JSON over HTTP, described by an OpenAPI document.",
  address: "Base address",
  document: "OpenAPI document",
  credentials: "Credentials",
  ofKey: "A key, sent as Authorization: Bearer …, is read-only and sees only that key's data.",
  ofLogin: "A login, sent as its cookie, has the rights of its user. Calls that change something need an Origin header.",
  signIn: "Sign in",
  values: "Values",
  valuesText:
    "Amounts in …NanoUsd are integers as text (10⁻⁹ USD), those in …Usd plain decimals. Times are milliseconds since 1970 in UTC. Repeat a parameter to pass several values.",
  search: "Path, name or keyword",
  none: "No operation matches the search.",
  more: "Further operations need more rights than you have.",
  access: { key: "Key or login", user: "Login", admin: "Administrator" },
  parameters: "Parameters",
  place: { path: "path", query: "query", body: "body" },
  required: "required",
  characters: "characters",
  byDefault: "default",
  nothing: "No parameters.",
  answer: "Response",
  tags: {},
  summaries: {},
};
