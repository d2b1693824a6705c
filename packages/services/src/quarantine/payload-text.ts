import { readQuarantined } from "@sluice/ledger/quarantine";
import type { QuarantinedDetail } from "./quarantine-view.ts";

/** Longer texts do not help a reader. */
const MOST_CHARS = 64 * 1024;
const MOST_HEX_BYTES = 4 * 1024;

/** Control characters except line breaks and tabs; oddities also include replacement characters, the sign of invalid UTF-8. */
const controls = /[^\P{Cc}\n\t]/gu;
const oddities = /[^\P{Cc}\n\r\t]|\ufffd/gu;

/** Arbitrary bytes as text that is safe to show: indented JSON, text with visible control characters, or hexadecimal. */
export function payloadText(payload: Buffer, isWhole: boolean): Pick<QuarantinedDetail, "encoding" | "payload" | "cut"> {
  const record = readQuarantined(payload);
  if (record) return cut("json", JSON.stringify(record, null, 2), isWhole);
  const text = payload.toString("utf8");
  const odd = text.match(oddities)?.length ?? 0;
  if (odd <= text.length / 20) return cut("text", drawn(text), isWhole);
  const bytes = payload.subarray(0, MOST_HEX_BYTES);
  return cut("hex", hexLines(bytes), isWhole && bytes.length === payload.length);
}

function cut(
  encoding: QuarantinedDetail["encoding"],
  text: string,
  isWhole: boolean,
): Pick<QuarantinedDetail, "encoding" | "payload" | "cut"> {
  return { encoding, payload: text.slice(0, MOST_CHARS), cut: !isWhole || text.length > MOST_CHARS };
}

/** Replaces control characters by their visible symbols (U+2400…), so that none takes effect. */
function drawn(text: string): string {
  return text.replace(controls, (control) => {
    const code = control.charCodeAt(0);
    return code < 0x20 ? String.fromCharCode(0x2400 + code) : "\u2421";
  });
}

function hexLines(bytes: Buffer): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const hex = bytes
      .subarray(at, at + 16)
      .toString("hex")
      .replace(/../g, "$& ");
    lines.push(`${at.toString(16).padStart(6, "0")}  ${hex.trimEnd()}`);
  }
  return lines.join("\n");
}
