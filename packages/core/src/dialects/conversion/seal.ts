/**
 * Reasoning that goes out to a client in a dialect that is not its maker's carries a mark in the field that clients
 * hand back untouched (Anthropic's `signature`, Responses' `encrypted_content`): `sluice:<maker>:<id>:<data>`. When the
 * conversation returns, the mark says to whom it may be sent again.
 */
import type { Seal, Wire } from "./intermediate.ts";

/** What marked reasoning begins with. No provider's own signature has a colon: they are base64. */
export const SEAL_PREFIX = "sluice:";

const marked = /^sluice:(anthropic|chat|responses|redacted):([\w-]*):(.*)$/s;

/** A seal as the field of another dialect carries it; plain for the maker's own. */
export function writeSeal(seal: Seal, wire: Wire): string {
  if (seal.maker === wire && seal.data !== "") return seal.data;
  return `${SEAL_PREFIX}${seal.maker}:${seal.id.replace(/[^\w-]/g, "")}:${seal.data}`;
}

/** The seal in a field of `wire`; '' is unsealed reasoning, which only a chat provider makes. */
export function readSeal(field: string, wire: Wire, id = ""): Seal | null {
  if (field === "") return null;
  const match = marked.exec(field);
  if (!match) return { maker: wire, data: field, id };
  return { maker: match[1] as Seal["maker"], id: match[2] ?? "", data: match[3] ?? "" };
}
