import { stringify } from "csv-stringify/sync";

type Cell = string | number | boolean | null;

const options = { escape_formulas: true, record_delimiter: "\r\n", cast: { boolean: String } } as const;

/** The header line according to RFC 4180, after the byte order mark that spreadsheets need. */
export function csvHead(names: readonly string[]): string {
  return stringify([[...names]], { ...options, bom: true });
}

/** Data lines; text that a spreadsheet would evaluate as a formula is escaped. */
export function csvLines(rows: readonly (readonly Cell[])[]): string {
  return stringify(rows as Cell[][], options);
}
