/** CIDR ranges of IPv4 and IPv6 (RFC 4632, RFC 4291). An IPv4 address and its mapped form (::ffff:a.b.c.d) are equal. */

/** The address as 128 bits; null when the text is not one. */
function parseAddress(text: string): bigint | null {
  if (!text.includes(":")) return parseV4(text, 0xffffn);
  if (!/^[0-9a-f:.]{2,45}$/i.test(text)) return null;
  const [head = "", tail, ...more] = text.split("::");
  if (more.length > 0) return null;
  const before = groupsOf(head, tail === undefined);
  const after = tail === undefined ? [] : groupsOf(tail, true);
  if (!before || !after) return null;
  const missing = 8 - before.length - after.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return null;
  return [...before, ...Array<bigint>(missing).fill(0n), ...after].reduce((sum, group) => (sum << 16n) | group, 0n);
}

function parseV4(text: string, before: bigint): bigint | null {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)) return null;
  return parts.reduce((sum, part) => (sum << 8n) | BigInt(part), before);
}

/** Groups of 16 bits; the end of an address may be written as IPv4. */
function groupsOf(text: string, isEnd: boolean): bigint[] | null {
  if (text === "") return [];
  const groups: bigint[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    if (part.includes(".")) {
      const v4 = isEnd && index === parts.length - 1 ? parseV4(part, 0n) : null;
      if (v4 === null) return null;
      groups.push(v4 >> 16n, v4 & 0xffffn);
    } else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(BigInt(`0x${part}`));
    else return null;
  }
  return groups;
}

interface Range {
  bits: bigint;
  /** Number of free bits after the prefix. */
  free: bigint;
}

function parseRange(text: string): Range | null {
  const [address = "", length, ...more] = text.split("/");
  const bits = parseAddress(address);
  const widest = address.includes(":") ? 128 : 32;
  if (bits === null || more.length > 0) return null;
  if (length === undefined) return { bits, free: 0n };
  if (!/^(?:0|[1-9]\d{0,2})$/.test(length) || Number(length) > widest) return null;
  const free = BigInt(widest - Number(length));
  return { bits: bits >> free, free };
}

/** Whether the text is an address or a range in CIDR form. */
export function isAddressRange(text: string): boolean {
  return parseRange(text) !== null;
}

/** Tests whether an address lies in any of the ranges; an invalid address lies in none. */
export function inRanges(ranges: readonly string[]): (address: string) => boolean {
  const parsed = ranges.flatMap((range) => parseRange(range) ?? []);
  return (address) => {
    const bits = parseAddress(address.split("%")[0] ?? "");
    return bits !== null && parsed.some((range) => bits >> range.free === range.bits);
  };
}
