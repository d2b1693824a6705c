import { saveFile } from "../ui/save-file.ts";

export type CsvCell = string | number | null;

/**
 * Saves the shown figures as a CSV file in the format of the log's export: RFC 4180 with a byte order mark, plain numbers, and escaped
 * text where spreadsheets would see a formula.
 */
export async function saveCsv(name: string, header: readonly string[], rows: readonly (readonly CsvCell[])[]): Promise<void> {
  const { stringify } = await import("csv-stringify/browser/esm/sync");
  const text = stringify([[...header], ...rows.map((row) => [...row])], { escape_formulas: true, record_delimiter: "\r\n", bom: true });
  saveFile(
    new Blob([text], { type: "text/csv;charset=utf-8" }),
    `sluice-${name}-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}.csv`,
  );
}

interface Series {
  name: string;
  cells: readonly CsvCell[];
}

/** Saves the shown series, a column each, by the start of each bucket. */
export function saveSeriesCsv(name: string, times: readonly number[], series: readonly Series[]): Promise<void> {
  const rows = times.map((ms, at) => [new Date(ms).toISOString(), ...series.map(({ cells }) => cells[at] ?? null)]);
  return saveCsv(name, ["from", ...series.map((one) => one.name)], rows);
}
