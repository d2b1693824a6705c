import { errorCatalogue, SluiceError } from "@sluice/core/errors";
import { isPublicAddress, literalOf } from "./address.ts";

/** Where a URL actually leads, after it has passed the rules that need no lookup. */
export interface Target {
  origin: string;
  /** Canonical: lower case, no trailing dot, no brackets. */
  host: string;
  path: string;
  /** An administrator has allowed private addresses for this host (and port). */
  allowPrivate: boolean;
}

/** An HTTP or SOCKS5 proxy whose URL has passed the same rules. */
export interface ProxyTarget extends Pick<Target, "host" | "allowPrivate"> {
  kind: "http" | "socks5";
  port: string;
  /** null: no login is needed. */
  login: { user: string; password: string } | null;
}

/** Names that refer to this machine or its network without any lookup. */
const localSuffixes = ["localhost", "local", "internal", "localdomain", "home.arpa"];

/** One message for closed, unknown and forbidden addresses, so that a base URL cannot be used as a port scanner. */
const unreachableMessage = errorCatalogue.upstream_blocked.message;

/** The address must not be called at all. */
export function blocked(detail: string): SluiceError {
  return new SluiceError("upstream_blocked", { message: unreachableMessage, detail });
}

/** The address may be called, but nothing answers there. */
export function unreachable(detail: string, cause?: unknown): SluiceError {
  return new SluiceError("upstream_error", { message: unreachableMessage, detail, cause });
}

function canonical(hostname: string): string {
  const lower = hostname.toLowerCase().replace(/\.+$/, "");
  return literalOf(lower) ?? lower;
}

/**
 * Parses SLUICE_ALLOW_PRIVATE_UPSTREAMS: entries are `host` (any port) or `host:port`, IPv6 in brackets when a port follows.
 * An entry that is not a host is ignored and returned in `invalid`.
 */
export function readAllowList(entries: readonly string[]): { has(host: string, port: string): boolean; invalid: string[] } {
  const allowed = new Set<string>();
  const invalid: string[] = [];
  for (const entry of entries.map((text) => text.trim()).filter(Boolean)) {
    const host = literalOf(entry);
    const url = URL.parse(host?.includes(":") ? `http://[${host}]` : `http://${entry}`);
    if (url?.pathname !== "/" || url.username || url.search || url.hash) {
      invalid.push(entry);
      continue;
    }
    // `URL` drops an explicit :80, which still restricts the entry to that port.
    const port = /:(\d+)$/.exec(host ? "" : entry)?.[1] ?? "";
    allowed.add(port ? `${canonical(url.hostname)} ${Number(port)}` : canonical(url.hostname));
  }
  return { has: (host, port) => allowed.has(host) || allowed.has(`${host} ${port}`), invalid };
}

/**
 * Reads a URL the way the connection will: WHATWG canonicalises decimal, octal and hex IPv4 and IPv6, so one check of the
 * result covers every spelling.
 * @throws SluiceError `upstream_blocked`.
 */
export function readTarget(text: string, allowList: { has(host: string, port: string): boolean }): Target {
  const url = URL.parse(text);
  if (!url) throw blocked("not a URL");
  if (url.protocol !== "http:" && url.protocol !== "https:") throw blocked(`scheme ${url.protocol} is not http(s)`);
  if (url.username || url.password) throw blocked("userinfo in the URL");
  const host = canonical(url.hostname);
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  const allowPrivate = allowList.has(host, port);
  if (!allowPrivate) {
    if (literalOf(host) !== null && !isPublicAddress(host)) throw blocked(`address ${host} is not public`);
    if (localSuffixes.some((suffix) => host === suffix || host.endsWith(`.${suffix}`))) throw blocked(`name ${host} is local`);
  }
  if (host === "") throw blocked("empty host");
  return { origin: url.origin, host, path: url.pathname + url.search, allowPrivate };
}

/** Reads `http://` or `socks5://` with host, port and an optional login. @throws SluiceError `upstream_blocked`. */
export function readProxy(text: string, allowList: { has(host: string, port: string): boolean }): ProxyTarget {
  const scheme = /^(http|socks5):/i.exec(text)?.[1]?.toLowerCase();
  // Parsed as http, because hosts of schemes unknown to WHATWG are not canonicalised.
  const url = scheme && URL.parse(`http${text.slice(scheme.length)}`);
  if (!url) throw blocked("not an http or socks5 proxy");
  if (url.pathname !== "/" || url.search || url.hash) throw blocked("a proxy is a host and a port");
  const port = url.port || (scheme === "socks5" ? "1080" : "80");
  const login =
    url.username || url.password ? { user: decodeURIComponent(url.username), password: decodeURIComponent(url.password) } : null;
  if (login && (Buffer.byteLength(login.user) > 255 || Buffer.byteLength(login.password) > 255))
    throw blocked("a login longer than proxies take");
  const { host, allowPrivate } = readTarget(`http://${url.hostname}:${port}`, allowList);
  return { kind: scheme === "socks5" ? "socks5" : "http", host, port, login, allowPrivate };
}
