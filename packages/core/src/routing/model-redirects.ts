/** One redirect: names that match `from` are sent as `to`. */
export type ModelRedirect = Readonly<{ from: string; to: string }>;

/** In order. An object, as in older rows and short configuration files, is for exact names, where the order does not matter. */
export type ModelRedirects = Readonly<Record<string, string>> | readonly ModelRedirect[];

/** The redirects in order. */
export function redirectList(redirects: ModelRedirects): readonly ModelRedirect[] {
  return isList(redirects) ? redirects : Object.entries(redirects).map(([from, to]) => ({ from, to }));
}

function isList(redirects: ModelRedirects): redirects is readonly ModelRedirect[] {
  return Array.isArray(redirects);
}
