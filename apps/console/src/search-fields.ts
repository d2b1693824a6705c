/**
 * Parsers for the parameters of a page's address. Invalid values are ignored, so that an old or mistyped link still opens its page. Every
 * visit parses addresses first, so this deliberately avoids a schema library.
 */
export type SearchField<T> = (value: unknown) => T | undefined;

export const text: SearchField<string> = (value) => (typeof value === "string" ? value : undefined);

/** A text of at most this length, the limit of the server. */
export function textUpTo(most: number): SearchField<string> {
  return (value) => (typeof value === "string" && value.length <= most ? value : undefined);
}

/** For fields where the server accepts any id, or any name of a model, group or session. */
export const anyId = textUpTo(64);
export const anyName = textUpTo(200);

export function choice<const T extends readonly string[]>(values: T): SearchField<T[number]> {
  return (value) => values.find((one) => one === value);
}

const uuidForm = /^[\da-f]{8}-[\da-f]{4}-[1-8][\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

/** An id where the server accepts nothing else; upper case is accepted too. */
export const uuid: SearchField<string> = (value) => {
  const id = typeof value === "string" ? value.toLowerCase() : "";
  return uuidForm.test(id) ? id : undefined;
};

/** A finite number, as text or as a number. */
export const number: SearchField<number> = (value) => {
  if (typeof value !== "number" && (typeof value !== "string" || value.trim() === "")) return;
  const read = Number(value);
  return Number.isFinite(read) ? read : undefined;
};

export function numberBetween(least: number, most: number): SearchField<number> {
  return (value) => {
    const read = number(value);
    return read !== undefined && read >= least && read <= most ? read : undefined;
  };
}

export function wholeBetween(least: number, most: number): SearchField<number> {
  const between = numberBetween(least, most);
  return (value) => {
    const read = between(value);
    return Number.isInteger(read) ? read : undefined;
  };
}

type Fields = Readonly<Record<string, SearchField<unknown>>>;

/** The parsed parameters of a page's address. */
export type SearchOf<S extends { parse(query: Record<string, unknown>): unknown }> = ReturnType<S["parse"]>;

/** A parser for these parameters; others are ignored. */
export function searchOf<F extends Fields>(fields: F): { parse(query: Record<string, unknown>): { [K in keyof F]?: ReturnType<F[K]> } } {
  return {
    parse(query) {
      const read = Object.entries(fields).map(([name, field]) => [name, field(query[name])] as const);
      return Object.fromEntries(read.filter(([, value]) => value !== undefined)) as { [K in keyof F]?: ReturnType<F[K]> };
    },
  };
}
