/** One redirect: names that match `from` are sent as `to`. */
export type ModelRedirect = Readonly<{ from: string; to: string }>;

/** In order; an object, as older rows and short configuration files have it, for exact names whose order says nothing. */
export type ModelRedirects = Readonly<Record<string, string>> | readonly ModelRedirect[];

/** The redirects in their order. */
export function redirectList(redirects: ModelRedirects): readonly ModelRedirect[] {
  return isList(redirects) ? redirects : Object.entries(redirects).map(([from, to]) => ({ from, to }));
}

function isList(redirects: ModelRedirects): redirects is readonly ModelRedirect[] {
  return Array.isArray(redirects);
}
