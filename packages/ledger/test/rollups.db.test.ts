import { quantileMs, SKETCH_ERROR } from "@sluice/core/latency-sketch";
import { noUsage } from "@sluice/core/requests";
import { idAt } from "@sluice/testing/factories";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import { seededRandom } from "@sluice/testing/seeded-random";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { spanOf } from "../src/histogram.ts";
import { readLatency } from "../src/latency.ts";
import { findWrongSums } from "../src/reconcile.ts";
import type { FinishRecord } from "../src/records.ts";
import { settleBatch } from "../src/settle-batch.ts";
import { randomFinish } from "./arrange.ts";

const HOUR = 3_600_000;
let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
});
afterAll(() => db?.drop());

function correctionOf({ row, detail }: FinishRecord, random: () => number): FinishRecord {
  const cost = Math.floor(random() * 2_000_000) - 1_000_000;
  const id = idAt(row.startedAtMs);
  const usage = { ...noUsage, output: Math.floor(random() * 200) - 100 };
  const correction = { ...row, id, correctsId: row.id, usage, costNanoUsd: String(cost), ttftMs: null, durationMs: 0, flags: [] };
  return { row: correction, detail: { ...detail, id }, upstreamCostNanoUsd: String(-cost) };
}

describe("H13: rollups", () => {
  test("P43: are the raw sums at every level, and give every percentile within its bound, with late rows and corrections", async () => {
    const random = seededRandom(43);
    const all: FinishRecord[] = [];
    for (let round = 0; round < 6; round++) {
      const fresh = Array.from({ length: 80 }, () => randomFinish(random, HOUR));
      const late = Array.from({ length: 40 }, () => randomFinish(random, 30 * 24 * HOUR));
      const corrections = all.filter(() => random() < 0.1).map((record) => correctionOf(record, random));
      await settleBatch(db.pool, [...fresh, ...late, ...corrections]);
      // Sent again, they change nothing.
      await settleBatch(db.pool, [...late, ...corrections]);
      all.push(...fresh, ...late);
    }
    expect(await findWrongSums(db.pool)).toEqual([]);

    const now = Date.now() + 1;
    for (const [hours, filter] of [
      [2, {}],
      [40 * 24, {}],
      [40 * 24, { model: "model-a", notProviderId: ["provider-0"] }],
      [40 * 24, { userId: "user-1", statusClass: "2xx" as const }],
    ] as const) {
      const span = spanOf(now - hours * HOUR, now);
      const read = await readLatency(db.pool, {
        tenantId: "default",
        filter: { ...filter, notProviderId: [...((filter as { notProviderId?: string[] }).notProviderId ?? [])] },
        scope: {},
        span,
      });
      const rows = all
        .map(({ row }) => row)
        .filter((row) => row.startedAtMs >= span.fromMs && row.startedAtMs < span.toMs)
        .filter((row) => !("model" in filter) || (row.model === filter.model && row.providerId !== "provider-0"))
        .filter((row) => !("userId" in filter) || (row.userId === filter.userId && row.state === "done"));
      const measured = { ttft: rows.flatMap(({ ttftMs }) => ttftMs ?? []), duration: rows.map(({ durationMs }) => durationMs ?? 0) };
      for (const kind of ["ttft", "duration"] as const) {
        const sorted = measured[kind].sort((a, b) => a - b);
        for (const share of [0.5, 0.95, 0.99]) {
          const exact = sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
          expect(Math.abs((quantileMs(read[kind], share) ?? -1) - exact)).toBeLessThanOrEqual(exact * SKETCH_ERROR + 1e-6);
        }
      }
    }
  });
});
