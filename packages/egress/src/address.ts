import ipaddr from "ipaddr.js";

/**
 * Whether an IP address (as text) is public: globally routed unicast. Everything else (loopback, private, link-local,
 * CGNAT, mapped, translated, reserved, unparsable) is not. IPv6 must also be within 2000::/3, the only block that IANA
 * has allocated: that excludes `::127.0.0.1` and NAT64, which a list of special ranges may miss.
 */
export function isPublicAddress(text: string): boolean {
  const zoneless = text.split("%")[0] ?? "";
  if (!ipaddr.isValid(zoneless)) return false;
  const address = ipaddr.process(zoneless);
  if (address.range() !== "unicast") return false;
  if (address.kind() === "ipv4") return true;
  return ((address.toByteArray()[0] ?? 0) & 0xe0) === 0x20;
}

/** An IP literal from a URL host (`127.0.0.1`, `[::1]`), without brackets; null for a name. */
export function literalOf(hostname: string): string | null {
  const bare = hostname.startsWith("[") && hostname.endsWith("]") ? hostname.slice(1, -1) : hostname;
  return ipaddr.isValid(bare) ? bare : null;
}

/** The 4 or 16 bytes of an IP address. */
export function addressBytes(address: string): number[] {
  return ipaddr.parse(address).toByteArray();
}
