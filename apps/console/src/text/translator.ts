import type { en } from "./en.ts";

/** Texts by key; plural forms end in CLDR categories: `found_one`, `found_other`. */
interface TextTree {
  readonly [key: string]: string | TextTree;
}

type KeyOf<Name extends string> = Name extends `${infer Base}_${"one" | "other"}` ? Base : Name;
type KeysOf<Tree> = {
  [Name in keyof Tree & string]: Tree[Name] extends string ? KeyOf<Name> : `${Name}.${KeysOf<Tree[Name]>}`;
}[keyof Tree & string];

/** The key of a text, without the plural category: "nav.logs", "logs.found". */
type TextKey = KeysOf<typeof en>;

/**
 * Values for the placeholders `{{name}}` of a text. `count` also chooses the plural form; `otherwise` is used if there is no such text.
 */
interface TextValues {
  readonly [name: string]: string | number | undefined;
  readonly count?: number;
  readonly otherwise?: string;
}

/** Returns a text in the language of the translator. */
export type Translate = (key: TextKey, values?: TextValues) => string;

/** Creates the translator of one language. A key without a text, such as one from a newer server, is returned unchanged. */
export function translator(texts: TextTree, language: string): Translate {
  const found = new Map<string, string | undefined>();
  let plurals: Intl.PluralRules | undefined;

  function find(key: string): string | undefined {
    if (!found.has(key)) found.set(key, textAt(texts, key));
    return found.get(key);
  }

  function plural(key: string, count: number): string | undefined {
    if (find(`${key}_other`) === undefined) return undefined;
    plurals ??= new Intl.PluralRules(language);
    return find(`${key}_${plurals.select(count)}`) ?? find(`${key}_other`);
  }

  return (key, values) => {
    const { count, otherwise = key } = values ?? {};
    const text = (count === undefined ? undefined : plural(key, count)) ?? find(key) ?? otherwise;
    return values ? text.replace(/\{\{(\w+)\}\}/g, (_, name: string) => String(values[name] ?? "")) : text;
  };
}

function textAt(texts: TextTree, key: string): string | undefined {
  let at: string | TextTree | undefined = texts;
  for (const name of key.split(".")) at = typeof at === "object" ? at[name] : undefined;
  return typeof at === "string" ? at : undefined;
}
