import { asList, asRecord, asText, type JsonRecord } from "../json.ts";
import { parseExact } from "./exact-json.ts";
import type { Wire } from "./intermediate.ts";
import { SEAL_PREFIX } from "./seal.ts";

/** From its rarest letter on: a search stops at each first byte of its pattern. */
const rarePart = Buffer.from(SEAL_PREFIX.slice("sl".length));
const mark = Buffer.from(`"${SEAL_PREFIX}`);

/** Where each dialect's clients hand reasoning back: the list and the field. */
const places: Partial<Record<Wire, { list: "messages" | "input"; field: string }>> = {
  anthropic: { list: "messages", field: "signature" },
  responses: { list: "input", field: "encrypted_content" },
};

/**
 * Removes the reasoning that a provider of another dialect produced in this conversation: a provider of the client's own
 * dialect cannot verify it and would refuse the whole request. Returns the same Buffer when there is none, which costs one
 * search.
 */
export function withoutForeignThinking(body: Buffer, wire: Wire | null): Buffer {
  const place = wire && places[wire];
  if (!place || !body.includes(rarePart) || !body.includes(mark)) return body;
  const value = asRecord(parseExact(body.toString("utf8")));
  const list = value?.[place.list];
  if (!value || !Array.isArray(list)) return body;
  const isForeign = (item: unknown) => asText(asRecord(item)?.[place.field]).startsWith(SEAL_PREFIX);
  const kept = list.filter((item) => !isForeign(item)).flatMap((item) => withoutBlocks(item, isForeign));
  // The mark was only part of a text.
  if (kept.length === list.length && kept.every((item, index) => item === list[index])) return body;
  return Buffer.from(JSON.stringify({ ...value, [place.list]: kept }));
}

/** A message without such blocks; no message when nothing else is left. */
function withoutBlocks(item: unknown, isForeign: (block: unknown) => boolean): unknown[] {
  const message: JsonRecord | null = asRecord(item);
  const content = asList(message?.content);
  if (!content.some(isForeign)) return [item];
  const rest = content.filter((block) => !isForeign(block));
  return rest.length === 0 ? [] : [{ ...message, content: rest }];
}
