import { failureOf, PlainError } from "../../api/failure.ts";

/** Progress of an export. */
export interface ExportProgress {
  rows: number;
  bytes: number;
}

/** Chunks are combined to this size and handed to the browser, which may keep them on disk. */
const PIECE = 8 * 2 ** 20;

/**
 * Reads an export to its end and returns it as a file. Rows are counted as they pass: lines outside quotes, without the header of CSV and
 * the brackets of JSON.
 * @throws PlainError when it is refused, TypeError or AbortError when it breaks off: an incomplete file is never returned.
 */
export async function downloadExport(
  url: string,
  { signal, onProgress }: { signal: AbortSignal; onProgress(progress: ExportProgress): void },
): Promise<{ blob: Blob; name: string; rows: number }> {
  const response = await fetch(url, { signal });
  if (!response.ok || !response.body) throw await refusal(response);
  const csv = response.headers.get("content-type")?.startsWith("text/csv") ?? false;
  const count = rowCounter(csv);
  const reader = response.body.getReader();
  let whole = new Blob();
  let pieces: Uint8Array<ArrayBuffer>[] = [];
  let held = 0;
  let bytes = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    const piece = next.value as Uint8Array<ArrayBuffer>;
    pieces.push(piece);
    held += piece.length;
    bytes += piece.length;
    onProgress({ rows: count(piece), bytes });
    if (held < PIECE) continue;
    whole = new Blob([whole, ...pieces]);
    pieces = [];
    held = 0;
  }
  const name = /filename="([^"]+)"/.exec(response.headers.get("content-disposition") ?? "")?.[1] ?? "sluice-logs";
  const type = response.headers.get("content-type") ?? "";
  return { blob: new Blob([whole, ...pieces], { type }), name, rows: count(new Uint8Array()) };
}

async function refusal(response: Response): Promise<PlainError> {
  const answer = (await response.json().catch(() => ({}))) as { error?: unknown };
  return new PlainError(failureOf(answer.error ?? {}, response.status));
}

const NEWLINE = 10;
const QUOTE = 34;
const BRACE = 123;

/** Counts the rows in consecutive chunks; returns the total so far. */
export function rowCounter(csv: boolean): (piece: Uint8Array) => number {
  let lines = 0;
  let quoted = false;
  let previous = 0;
  return (piece) => {
    for (const byte of piece) {
      if (csv && byte === QUOTE) quoted = !quoted;
      // In JSON, each row is a line that starts with a brace.
      else if (csv ? byte === NEWLINE && !quoted : byte === BRACE && previous === NEWLINE) lines += 1;
      previous = byte;
    }
    return csv ? Math.max(0, lines - 1) : lines;
  };
}
