import type { NameLookup } from "../../api/names.ts";
import { type Condition, canExclude, dialects, type FilterField, fields, states, statuses } from "./search.ts";

/** The suggestions of the query field, and the meaning of its text: `model:claude-sonnet-4-5 -status:2xx attempts:>=2`. */
export interface Suggestion {
  /** The new text, or the condition that it sets. */
  pick: { text: string } | Condition;
  label: string;
  /** Shown beside the label. */
  note: string;
}

export interface QueryWords {
  fieldText(field: FilterField): string;
  valueText(field: FilterField, value: string): string;
}

const idPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const MOST = 50;

interface Token {
  not: boolean;
  field: string;
  /** null = no colon yet. */
  value: string | null;
}

function tokenOf(text: string): Token {
  const not = text.startsWith("-");
  const rest = not ? text.slice(1) : text;
  const colon = rest.indexOf(":");
  return colon < 0
    ? { not, field: rest, value: null }
    : { not, field: rest.slice(0, colon), value: rest.slice(colon + 1).replaceAll('"', "") };
}

/** The words of the text; quotes keep spaces together. */
function wordsOf(text: string): string[] {
  return text.match(/-?[^\s":]+:"[^"]*"?|\S+/g) ?? [];
}

/** The field with this name, in the address's notation or the reader's language. */
function fieldOf(name: string, words: QueryWords): FilterField | undefined {
  const wanted = name.toLowerCase();
  return fields.find((field) => field === wanted || words.fieldText(field).toLowerCase() === wanted);
}

/** Suggestions for the last word of the text. */
export function suggestions(text: string, options: Options, words: QueryWords): Suggestion[] {
  const all = wordsOf(text);
  const last = /\s$/.test(text) ? "" : (all.at(-1) ?? "");
  const before = all.slice(0, last === "" ? all.length : -1).join(" ");
  const lead = before === "" ? "" : `${before} `;
  const { not, field: name, value } = tokenOf(last);
  const sign = not ? "-" : "";
  const field = value === null ? undefined : fieldOf(name, words);
  if (field && value !== null) {
    const wanted = value.toLowerCase();
    return (options[field] ?? [])
      .map((one) => ({ one, label: words.valueText(field, one) }))
      .filter(({ one, label }) => one.toLowerCase().includes(wanted) || label.toLowerCase().includes(wanted))
      .slice(0, MOST)
      .map(({ one, label }) => ({ pick: { field, value: one, not: not && canExclude(field) }, label, note: "" }));
  }
  if (value !== null) return [];
  const wanted = name.toLowerCase();
  const named = options.fields
    .filter((one) => (!not || canExclude(one)) && (one.includes(wanted) || words.fieldText(one).toLowerCase().includes(wanted)))
    .map((one) => ({ pick: { text: `${lead}${sign}${one}:` }, label: words.fieldText(one), note: `${sign}${one}:` }));
  // One letter would match too many names.
  const found = wanted.length < 2 ? [] : values(wanted, not, options, words);
  return [...named, ...found];
}

function values(wanted: string, not: boolean, options: Options, words: QueryWords): Suggestion[] {
  return (["model", "user", "key", "provider"] as const).flatMap((field) =>
    (options[field] ?? [])
      .map((one) => ({ one, label: words.valueText(field, one) }))
      .filter(({ label }) => label.toLowerCase().includes(wanted))
      .slice(0, 5)
      .map(({ one, label }) => ({ pick: { field, value: one, not }, label, note: words.fieldText(field) })),
  );
}

/** Known values by field, and the fields that the reader may use. */
export type Options = Partial<Record<FilterField, readonly string[]>> & { fields: readonly FilterField[] };

/** Options from the known names; models are those seen so far. */
export function optionsOf(names: NameLookup["list"], models: readonly string[], admin: boolean): Options {
  const ids = (items: readonly { id: string }[]) => items.map(({ id }) => id);
  return {
    fields: fields.filter((field) => admin || (field !== "provider" && field !== "user")),
    user: admin ? ids(names.users) : [],
    key: ids(names.keys),
    provider: ids(names.providers),
    model: models,
    state: states,
    status: statuses,
    dialect: dialects,
    attempts: ["2", "3", "4", "5"],
  };
}

export type Query =
  | { conditions: Condition[] }
  | { fault: "unknown"; text: string }
  | { fault: "noSuch"; text: string; field: FilterField };

/** A whole text as conditions, or its error. A bare request id counts as a condition. */
export function readQuery(text: string, options: Options, words: QueryWords): Query {
  const conditions: Condition[] = [];
  for (const word of wordsOf(text)) {
    const token = tokenOf(word);
    if (token.value === null && idPattern.test(word)) {
      conditions.push({ field: "request", value: word.toLowerCase(), not: false });
      continue;
    }
    const field = fieldOf(token.field, words);
    if (!field || !options.fields.includes(field) || !token.value) return { fault: "unknown", text: word };
    const value = meant(field, token.value, options, words);
    if (value === null) return { fault: "noSuch", text: token.value, field };
    conditions.push({ field, value, not: token.not && canExclude(field) });
  }
  return { conditions };
}

/** Names are looked up; models, sessions and groups may be any text. */
function meant(field: FilterField, text: string, options: Options, words: QueryWords): string | null {
  if (field === "attempts") return /^(>=?)?([2-9]|[1-9]\d)$/.test(text) ? text.replace(/\D/g, "") : null;
  if (field === "request") return idPattern.test(text) ? text.toLowerCase() : null;
  if (field === "model" || field === "session" || field === "group") return text;
  const wanted = text.toLowerCase();
  const all = options[field] ?? [];
  const label = (one: string) => words.valueText(field, one).toLowerCase();
  return (
    all.find((one) => one.toLowerCase() === wanted || label(one) === wanted) ?? all.find((one) => label(one).startsWith(wanted)) ?? null
  );
}
