import { access, cp, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { systemClock } from "@sluice/core/clock";
import { newId } from "@sluice/core/ids";
import { defaultSettings, type Settings } from "@sluice/core/inputs/settings";
import { silentLog } from "@sluice/core/log";
import { priceUsage, upstreamCost } from "@sluice/core/pricing/price-usage";
import { noUsage, type RequestRow, type UsageFlag } from "@sluice/core/requests";
import { idAt, requestDetail, requestRow } from "@sluice/testing/factories";
import pg from "pg";
import { crc32c } from "../src/crc32c.ts";
import { HEADER_BYTES, type SpoolRecord, segmentDigits } from "../src/frames.ts";
import type { LedgerOptions } from "../src/ledger.ts";
import type { FinishRecord, ProgressRecord, SpooledPrice, StartRecord } from "../src/records.ts";

export const testPrice: SpooledPrice = {
  priceId: "019a0000-0000-7000-8000-000000000001",
  inputPerMTok: "3",
  outputPerMTok: "15",
  cacheWrite5mPerMTok: null,
  cacheWrite1hPerMTok: "6",
  cacheReadPerMTok: "0.3",
};

/** The end of a request; its detail carries the row's id. */
export function finishOf(fields: Partial<RequestRow> = {}): FinishRecord {
  const row = requestRow(fields);
  return { row, detail: requestDetail({ id: row.id, path: "/v1/chat/completions" }), upstreamCostNanoUsd: "100" };
}

/** A priced end whose fields are random but reproducible, at a random moment of the last `spanMs`. */
export function randomFinish(random: () => number, spanMs = 0): FinishRecord {
  const pick = <T>(...of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;
  const startedAtMs = spanMs > 0 ? Date.now() - Math.floor(random() * spanMs) : undefined;
  const id = startedAtMs === undefined ? newId() : idAt(startedAtMs);
  const usage = {
    input: Math.floor(random() * 5_000),
    output: Math.floor(random() * 2_000),
    cacheWrite5m: Math.floor(random() * 50),
    cacheWrite1h: Math.floor(random() * 50),
    cacheRead: Math.floor(random() * 9_000),
  };
  const state = pick("done", "done", "done", "error", "aborted", "refused");
  const groupMultiplier = pick("1", "1.5", "0.333333333333");
  const providerMultiplier = pick("1", "2", "0.1");
  const priced = state !== "refused" && random() > 0.1;
  const { costNanoUsd, breakdown } = priceUsage(testPrice, usage, { providerMultiplier, groupMultiplier });
  const flags: UsageFlag[] = state === "aborted" ? ["estimated", "partial"] : [];
  if (!priced && state !== "refused") flags.push("unpriced");
  const row = requestRow({
    id,
    userId: `user-${Math.floor(random() * 5)}`,
    keyId: `key-${Math.floor(random() * 8)}`,
    providerId: state === "refused" ? "" : `provider-${Math.floor(random() * 3)}`,
    sessionId: pick("", "session-a", "session-b"),
    model: pick("model-a", "model-b", 'mo"del\\{c},'),
    dialect: pick("anthropic", "openai", "gemini"),
    state,
    status: { done: 200, error: pick(200, 400, 502), aborted: 0, refused: pick(401, 429) }[state],
    errorCode: state === "error" ? "upstream_error" : "",
    usage: state === "refused" ? noUsage : usage,
    costNanoUsd: state === "refused" ? "0" : priced ? costNanoUsd.toString() : null,
    billable: state !== "refused",
    flags,
    ttftMs: pick(null, 12, Math.floor(random() * 30_000)),
    durationMs: Math.floor(random() ** 4 * 2_000_000),
  });
  const detail = requestDetail({ id, priceId: priced ? testPrice.priceId : null, cost: priced ? breakdown : null });
  return { row, detail, upstreamCostNanoUsd: priced ? upstreamCost(testPrice, usage, providerMultiplier).toString() : "0" };
}

/** A frame as programs of that format version wrote it: with the record as an object. */
export function oldFrame(version: 1 | 2 | 3, kind: SpoolRecord["kind"], record: object): Buffer {
  const segment = version === 3 ? { s: segmentDigits(1) } : {};
  const payload = Buffer.from(JSON.stringify({ v: version, ...segment, k: kind, t: 7, r: record }));
  const head = Buffer.alloc(HEADER_BYTES);
  head.writeUInt32LE(payload.length, 0);
  head.writeUInt32LE(version === 1 ? crc32c(payload) : crc32(payload), 4);
  return Buffer.concat([head, payload]);
}

export function startOf(finish: FinishRecord, price: SpooledPrice | null = testPrice): StartRecord {
  const row: RequestRow = { ...finish.row, state: "in_flight", status: 0, usage: noUsage, flags: [], costNanoUsd: null };
  return { row: { ...row, errorCode: "", ttftMs: null, durationMs: null }, price, providerMultiplier: "1", groupMultiplier: "1" };
}

export function progressOf(id: string, output: number, fields: Partial<ProgressRecord> = {}): ProgressRecord {
  const usage = { ...noUsage, input: 100, output };
  return { id, providerId: "provider-0", upstreamModel: "model-a", providerMultiplier: "1", ttftMs: 80, usage, estimated: true, ...fields };
}

/** A temporary directory; `remove` deletes it. */
export async function temporaryDirectory(): Promise<{ dir: string; remove(): Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), "sluice-ledger-"));
  return { dir, remove: () => rm(dir, { recursive: true, force: true }) };
}

/** Short intervals: the tests check outcomes, not pace. */
export function quickSettings(changed: Partial<Settings> = {}): Settings {
  return { ...defaultSettings(), "ledger.intervalMs": 10, ...changed };
}

export function ledgerOptions(dir: string, pool: pg.Pool, changed: Partial<LedgerOptions> = {}): LedgerOptions {
  return {
    dir,
    pool,
    settings: () => quickSettings(),
    clock: systemClock,
    log: silentLog,
    instanceId: "test",
    ...changed,
    tuning: { checkpointMs: 5, retryMs: 20, ...changed.tuning },
  };
}

/** A pool whose server does not exist, as if Postgres were down. */
export function deadPool(): pg.Pool {
  return new pg.Pool({ host: "127.0.0.1", port: 1, user: "nobody", database: "none", connectionTimeoutMillis: 500 });
}

/**
 * A copy of a spool in use: what a SIGKILL at this moment would leave. Starts over when a file vanished while it was copied (a segment that
 * was settled meanwhile, whose file may be written over), because a kill captures a single moment.
 */
export async function freezeSpool(from: string, to: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      const before = (await readdir(from)).filter((name) => name.endsWith(".spool"));
      await cp(from, to, { recursive: true });
      for (const name of before) await access(join(from, name));
      return;
    } catch (error) {
      if (attempt === 50 || (error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      await rm(to, { recursive: true, force: true });
    }
  }
}
