/**
 * Headers cross the gateway by allow-list in both directions: a client's cookies, credentials and forwarding headers
 * never reach a provider; a provider's cookies and hop-by-hop headers never reach a client.
 */
export interface HeaderRule {
  names: ReadonlySet<string>;
  prefixes: readonly string[];
}

/** Client headers that any provider may see. */
export const clientToUpstream: HeaderRule = {
  names: new Set([
    "accept",
    "accept-language",
    "user-agent",
    "idempotency-key",
    "traceparent",
    "tracestate",
    "x-app",
    "x-client-request-id",
    "originator",
    "session_id",
    "conversation_id",
    "session-id",
    "thread-id",
    "version",
  ]),
  prefixes: ["x-stainless-"],
};

/** Provider headers that any client may see. */
export const upstreamToClient: HeaderRule = {
  names: new Set(["content-type", "content-language", "retry-after", "retry-after-ms", "x-should-retry"]),
  prefixes: ["x-ratelimit-"],
};

/** A rule extended by names or, with a trailing `*`, by prefixes. */
export function extendRule(rule: HeaderRule, ...added: string[]): HeaderRule {
  return {
    names: new Set([...rule.names, ...added.filter((name) => !name.endsWith("*"))]),
    prefixes: [...rule.prefixes, ...added.filter((name) => name.endsWith("*")).map((name) => name.slice(0, -1))],
  };
}

/** The headers that the rule allows. Names are lower-case. */
export function filterHeaders(headers: Record<string, string | undefined>, rule: HeaderRule): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || !Object.hasOwn(headers, name)) continue;
    if (rule.names.has(name) || hasPrefix(name, rule.prefixes)) kept[name] = value;
  }
  return kept;
}

function hasPrefix(name: string, prefixes: readonly string[]): boolean {
  for (const prefix of prefixes) if (name.startsWith(prefix)) return true;
  return false;
}

/** The query parameters that a dialect knows, in the caller's order, as `?a=b` or ''. `key` never passes. */
export function filterQuery(query: URLSearchParams, known: readonly string[]): string {
  if (query.size === 0) return "";
  const kept = new URLSearchParams();
  for (const [name, value] of query) if (known.includes(name) && name !== "key") kept.append(name, value);
  return kept.size > 0 ? `?${kept}` : "";
}

/** Headers of every upstream request: JSON, never compressed (nothing here decodes Brotli), and the request id. */
export function bodyHeaders(requestId: string | undefined): Record<string, string> {
  return { "content-type": "application/json", "accept-encoding": "identity", ...(requestId ? { "x-request-id": requestId } : {}) };
}

/** A base URL without trailing slashes, ready for a path. */
export function trimBase(baseUrl: string): string {
  return baseUrl.replace(/\/+$/, "");
}
