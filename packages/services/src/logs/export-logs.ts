import { SluiceError } from "@sluice/core/errors";
import { LogFilter } from "@sluice/core/inputs/log";
import type { RequestRow } from "@sluice/core/requests";
import { listRequests, newestSettledSeq } from "@sluice/ledger/query";
import { z } from "zod";
import { isAdmin, requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { csvHead, csvLines } from "../csv.ts";
import { isStillSignedIn } from "../logins/is-still-signed-in.ts";
import { readNames } from "../names/list-names.ts";
import { parse } from "../parse.ts";
import { type ExportColumnName, exportColumnNames, exportColumns, exportNames, isAdminColumn } from "./export-columns.ts";
import { audienceOf, refuseHidden, shapeRows, storedScope } from "./shape-log.ts";

export const ExportLogsInput = z.strictObject({
  format: z.enum(["csv", "json"]),
  filter: LogFilter.default({}),
  /** Absent = every column that the actor may see. */
  columns: z.array(z.enum(exportColumnNames)).min(1).max(exportColumnNames.length).optional(),
});

/** Rows in memory at a time, whatever the size of the export. */
const BATCH = 500;

/** Interval at which rights are checked again. */
const CHECK_MS = 5_000;

type Cells = ReturnType<(typeof exportColumns)[ExportColumnName]["of"]>[];

/**
 * Every stored request that matches, newest first, as text in chunks of at most 500 rows. The set is fixed at the moment of the call:
 * what is settled later has a later position and is left out. Each chunk is read only once the previous one was consumed, so that a slow
 * reader costs no memory. Users get their own rows, without providers.
 * @throws SluiceError `forbidden` for a filter or a column by provider; also while streaming, when the rights are gone.
 */
export async function exportLogs(ctx: Ctx, input: z.input<typeof ExportLogsInput>): Promise<AsyncGenerator<string, void, void>> {
  requireAccess(ctx.actor, "key");
  const { format, filter, columns } = parse(ExportLogsInput, input);
  refuseHidden(ctx, filter);
  const admin = isAdmin(ctx);
  if (!admin && columns?.some(isAdminColumn)) throw new SluiceError("forbidden", { field: "columns" });
  const chosen = columns ?? exportColumnNames.filter((name) => admin || !isAdminColumn(name));
  const [names, settledUpTo] = [exportNames(await readNames(ctx)), await newestSettledSeq(ctx.pool)];
  const cells = (row: RequestRow): Cells => chosen.map((name) => exportColumns[name].of(row, names));
  const rows = walk(ctx, filter, settledUpTo);
  return format === "csv" ? asCsv(rows, chosen, cells) : asJson(rows, chosen, cells);
}

async function* walk(ctx: Ctx, filter: LogFilter, settledUpTo: string): AsyncGenerator<RequestRow[], void, void> {
  const scope = storedScope(ctx);
  const audience = audienceOf(ctx);
  let checkedAtMs = ctx.clock.now();
  for (let before: string | undefined; ; ) {
    const page = await listRequests(ctx.pool, { filter, before, limit: BATCH, scope, settledUpTo });
    if (page.rows.length > 0) yield shapeRows(audience, page.rows);
    if (page.next === null) return;
    before = page.next;
    if (ctx.clock.now() - checkedAtMs < CHECK_MS) continue;
    if (!(await isStillSignedIn(ctx))) throw new SluiceError("unauthenticated");
    checkedAtMs = ctx.clock.now();
  }
}

type Batches = AsyncGenerator<RequestRow[], void, void>;

async function* asCsv(batches: Batches, names: readonly ExportColumnName[], cells: (row: RequestRow) => Cells): AsyncGenerator<string> {
  yield csvHead(names);
  for await (const rows of batches) yield csvLines(rows.map(cells));
}

/** One JSON array with one object per line. */
async function* asJson(batches: Batches, names: readonly ExportColumnName[], cells: (row: RequestRow) => Cells): AsyncGenerator<string> {
  let before = "[\n";
  for await (const rows of batches) {
    let text = "";
    for (const row of rows) {
      const values = cells(row);
      text += before + JSON.stringify(Object.fromEntries(names.map((name, index) => [name, values[index]])));
      before = ",\n";
    }
    yield text;
  }
  yield before === "[\n" ? "[]\n" : "\n]\n";
}
