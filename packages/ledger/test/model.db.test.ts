import { join } from "node:path";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import { seededRandom } from "@sluice/testing/seeded-random";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { createLedger, type LedgerOptions } from "../src/ledger.ts";
import { findWrongSums } from "../src/reconcile.ts";
import type { FinishRecord, Ledger } from "../src/records.ts";
import { deadPool, freezeSpool, ledgerOptions, progressOf, quickSettings, randomFinish, startOf, temporaryDirectory } from "./arrange.ts";

/**
 * Random histories of start, progress, finish, refuse, crash, restart, and of Postgres going down and up, against a model that is a map. A
 * crash is a copy of the directory: what the process does after it no longer reaches the copy.
 */
let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
});
afterAll(() => db?.drop());
let place: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeEach(async () => {
  place = await temporaryDirectory();
});
afterEach(() => place?.remove());

interface Model {
  open: Map<string, { end: FinishRecord; progress: number | null }>;
  /** What the table must contain: the acknowledged requests, and what recovery makes of the others. */
  expected: Map<string, { output: number; flags: string[] }>;
}

test.each([1, 2, 3, 4, 5, 6, 7, 8])("history %i ends with the rows of the model", async (seed) => {
  const random = seededRandom(seed * 7_919);
  const model: Model = { open: new Map(), expected: new Map() };
  // A separate sequence: how often settings are read depends on timing, but the history must not.
  const pace = seededRandom(seed);
  const settings = () => quickSettings({ "ledger.batchSize": 1 + Math.floor(pace() * 30) });
  const tuning = { segmentBytes: 3_000 + Math.floor(random() * 20_000) };
  const abandoned: Ledger[] = [];
  let generation = 0;
  let up = true;
  let ending = false;
  const openNext = (changed: Partial<LedgerOptions> = {}) =>
    createLedger(ledgerOptions(place.dir, up ? db.pool : deadPool(), { settings, tuning, instanceId: `gen-${generation}`, ...changed }));
  let ledger = await openNext();

  const steps: Record<string, () => Promise<void>> = {
    async start() {
      const end = randomFinish(random);
      await ledger.start(startOf(end));
      model.open.set(end.row.id, { end, progress: null });
    },
    async progress() {
      const [id, request] = [...model.open][Math.floor(random() * model.open.size)] ?? [];
      if (id === undefined || !request) return;
      request.progress = Math.floor(random() * 500);
      ledger.progress(progressOf(id, request.progress));
    },
    async finish() {
      const [id, request] = [...model.open][Math.floor(random() * model.open.size)] ?? [];
      if (id === undefined || !request) return;
      await ledger.finish(request.end);
      model.open.delete(id);
      model.expected.set(id, { output: request.end.row.usage.output, flags: request.end.row.flags });
    },
    async refuse() {
      const end = randomFinish(random);
      ledger.refuse(end);
      // The next acknowledged record is behind it in the file, so it is durable too.
      await this.start?.();
      model.expected.set(end.row.id, { output: end.row.usage.output, flags: end.row.flags });
    },
    async crash() {
      // Writes what is only queued: a crash may lose a PROGRESS, and the model could not tell which.
      await this.start?.();
      const from = join(place.dir, `gen-${generation}`);
      generation++;
      await freezeSpool(from, join(place.dir, `gen-${generation}`));
      abandoned.push(ledger);
      up = ending || random() < 0.7;
      ledger = await openNext();
      for (const [id, { progress }] of model.open) {
        model.expected.set(id, { output: progress ?? 0, flags: progress === null ? ["recovered"] : ["estimated", "partial", "recovered"] });
      }
      model.open.clear();
    },
  };
  const names = ["start", "start", "start", "progress", "progress", "finish", "finish", "refuse"];
  for (let step = 0; step < 120; step++) {
    const name = random() < 0.04 ? "crash" : (names[Math.floor(random() * names.length)] ?? "start");
    await steps[name]?.();
  }
  ending = true;
  await steps.crash?.();
  await ledger.close({ graceMs: 30_000 });

  const { rows } = await db.pool.query<{ id: string; output: number; flags: string[] }>(
    "SELECT id, output_tokens::int AS output, flags FROM requests WHERE id = ANY($1::uuid[])",
    [[...model.expected.keys()]],
  );
  expect(new Map(rows.map(({ id, output, flags }) => [id, { output, flags }]))).toEqual(new Map([...model.expected].sort()));
  // The "dead" instances settle too: nothing of theirs may count twice.
  for (const old of abandoned) await old.close({ graceMs: 500 }).catch(() => undefined);
  expect(await findWrongSums(db.pool)).toEqual([]);
});
