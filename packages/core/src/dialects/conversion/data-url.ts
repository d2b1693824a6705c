import { refuse } from "./fields.ts";
import type { FilePart, ImagePart } from "./intermediate.ts";

const dataUrl = /^data:([^;,]*)(?:;[^;,]*)*?;base64,/i;

/** Reads a URL of OpenAI's dialects: the bytes of a data URL, or an address. */
export function readUrl(url: string, field: string): ImagePart["source"] {
  if (!/^data:/i.test(url)) return { url };
  // Only the head is matched: the base64 after it may be many megabytes.
  const match = dataUrl.exec(url.slice(0, 256));
  if (!match) return refuse(field, "must be base64 if it is a data URL.");
  return { mediaType: match[1] || "application/octet-stream", base64: url.slice(match[0].length) };
}

/** The source as a URL, as OpenAI's dialects expect it. */
export function writeUrl(source: ImagePart["source"] | FilePart["source"]): string {
  return "url" in source ? source.url : `data:${source.mediaType};base64,${source.base64}`;
}
