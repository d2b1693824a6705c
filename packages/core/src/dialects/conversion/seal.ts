/**
 * Reasoning sent to a client in a dialect other than its maker's carries a mark in the field that clients return untouched
 * (Anthropic's `signature`, Responses' `encrypted_content`): `sluice:<maker>:<id>:<data>`. When the conversation comes
 * back, the mark tells to whom the reasoning may be sent again.
 */
import type { Seal, Wire } from "./intermediate.ts";

/** Prefix of marked reasoning. A provider's own signature is base64 and therefore has no colon. */
export const SEAL_PREFIX = "sluice:";

const marked = /^sluice:(anthropic|chat|responses|redacted):([\w-]*):(.*)$/s;

/** The seal as a field of `wire`: unmarked in its maker's own dialect. */
export function writeSeal(seal: Seal, wire: Wire): string {
  if (seal.maker === wire && seal.data !== "") return seal.data;
  return `${SEAL_PREFIX}${seal.maker}:${seal.id.replace(/[^\w-]/g, "")}:${seal.data}`;
}

/** Reads the seal in a field of `wire`; '' is unsealed reasoning, which only chat providers produce. */
export function readSeal(field: string, wire: Wire, id = ""): Seal | null {
  if (field === "") return null;
  const match = marked.exec(field);
  if (!match) return { maker: wire, data: field, id };
  return { maker: match[1] as Seal["maker"], id: match[2] ?? "", data: match[3] ?? "" };
}
