import { stringify } from "csv-stringify/sync";

type Cell = string | number | boolean | null;

const options = { escape_formulas: true, record_delimiter: "\r\n", cast: { boolean: String } } as const;

/** The first line of RFC 4180, behind the byte order mark that spreadsheets want. */
export function csvHead(names: readonly string[]): string {
  return stringify([[...names]], { ...options, bom: true });
}

/** Further lines; text that a spreadsheet would take for a formula is disarmed. */
export function csvLines(rows: readonly (readonly Cell[])[]): string {
  return stringify(rows as Cell[][], options);
}
