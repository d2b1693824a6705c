import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";

/**
 * The client's address. Each of the `trustedHops` proxies in front of us appends one entry to X-Forwarded-For, so the client's is that
 * many from the right; entries further left were written by the client and are not trusted. Fewer entries than hops mean that the request
 * bypassed the proxies: then the address of the connection counts.
 */
export function clientIp(request: Pick<IncomingMessage, "headers" | "socket">, trustedHops: number): string {
  const peer = plainAddress(request.socket.remoteAddress ?? "");
  if (trustedHops === 0) return peer;
  const forwarded = [request.headers["x-forwarded-for"] ?? []].flat().join(",");
  const entries = forwarded
    .split(",")
    .map((entry) => entry.trim())
    .filter(Boolean);
  const claimed = plainAddress(entries.at(-trustedHops) ?? "");
  return isIP(claimed) ? claimed : peer;
}

/** Without port and brackets; IPv4-mapped IPv6 becomes IPv4. */
function plainAddress(text: string): string {
  const bare = /^\[(.+)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text;
  return /^::ffff:([\d.]+)$/i.exec(bare)?.[1] ?? bare;
}
