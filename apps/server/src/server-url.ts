import type { Env } from "./env.ts";

/** Address at which this machine reaches the console of the server that the environment describes. */
export function serverUrl({ host, port, consolePort }: Pick<Env, "host" | "port" | "consolePort">): string {
  return `http://${reachableHost(host)}:${consolePort ?? port}`;
}

/** The host for a URL: an IPv6 address in brackets; for "all addresses" this machine's own. */
export function reachableHost(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}
