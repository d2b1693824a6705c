import { createHash } from "node:crypto";
import { firstIdAt, timeOfId } from "@sluice/core/ids";
import { priceUsage, type TokenPrices, upstreamCost } from "@sluice/core/pricing/price-usage";
import { type Attempt, type CorrectionCause, emptyDetail, noUsage, type RequestDetail, type RequestRow } from "@sluice/core/requests";
import { ensurePartitionFor } from "@sluice/db/partitions";
import type pg from "pg";
import { corrected } from "./query.ts";
import type { FinishRecord } from "./records.ts";
import { settleWith, underSettleLock } from "./settle-batch.ts";
import { isMissingPartition } from "./settle-errors.ts";
import { type DbRow, rowColumns, toRow } from "./stored-row.ts";

/**
 * Reprices requests. A row never changes: a new cost is written as a correction, a row of its own in the original's
 * millisecond with the signed difference, which moves rollups, totals and balances in the settle statement like any other
 * row. Originals are read and corrections written under the settle lock, so no correction is based on stale data. The
 * position reached is recorded in the same transaction, so a job that is killed resumes where it stopped.
 */
export interface Charge {
  price: TokenPrices & { id: string };
  /** Plain decimals of at most 12 places. */
  providerMultiplier: string;
  groupMultiplier: string;
}

/** A request as it is billed now, including its corrections. */
export interface BilledRequest {
  row: RequestRow;
  /** Commit position of the original. */
  settledSeq: string;
  corrections: number;
  /** From the last pricing; null when it was never priced or the value is no longer known. */
  providerMultiplier: string | null;
  groupMultiplier: string | null;
}

export interface Correction {
  /** The original with all corrections applied. */
  row: RequestRow;
  /** The row that was written. */
  correction: RequestRow;
  /** Number of corrections of the original, including this one. */
  count: number;
}

export interface CorrectionStep {
  /** Condition on `r` and the order, e.g. `r.model = $1 ORDER BY r.id`, with its parameters and a limit. */
  where: string;
  values: unknown[];
  limit: number;
  /** What a request should cost; null leaves it unchanged. */
  chargeOf(request: BilledRequest): Charge | null;
  cause: CorrectionCause & { id: string };
  /** Records the progress in the same transaction. Receives what was looked at, and is also called when that was nothing. */
  note(client: pg.ClientBase, looked: readonly BilledRequest[], made: readonly Correction[]): Promise<void>;
}

interface StoredRequest extends DbRow {
  settled_seq: string;
  upstream_cost: string;
  provider_multiplier: string | null;
  group_multiplier: string | null;
  last_provider_multiplier: string | null;
  last_group_multiplier: string | null;
  corrections: number;
  corrected_cost: string | null;
  corrected_upstream_cost: string;
  detail: RequestDetail | null;
}

/** Runs one bounded step. Resolves with the requests that were looked at and the corrections written. */
export async function correctCosts(pool: pg.Pool, step: CorrectionStep): Promise<{ looked: BilledRequest[]; made: Correction[] }> {
  let records: FinishRecord[] = [];
  const correct = () =>
    underSettleLock(pool, async (client) => {
      const stored = await readRequests(client, step);
      const looked = stored.map(billed);
      const planned = stored.flatMap((request, at) => planCorrection(request, looked[at], step) ?? []);
      records = planned.map(({ record }) => record);
      if (records.length > 0) await settleWith(client, records);
      const made = planned.map(({ made }) => made);
      await step.note(client, looked, made);
      return { looked, made };
    });
  try {
    return await correct();
  } catch (error) {
    if (!isMissingPartition(error)) throw error;
    // Details are kept for less time than rows, so the details of an old request may have no partition, but its correction needs one.
    for (const { row } of records) await ensurePartitionFor(pool, row.id);
    return correct();
  }
}

/** What {@link correctCosts} would change, without changing it. */
export async function previewCosts(
  pool: pg.Pool,
  step: Omit<CorrectionStep, "note">,
): Promise<{ looked: BilledRequest[]; made: Correction[] }> {
  const client = await pool.connect();
  try {
    const stored = await readRequests(client, step);
    const looked = stored.map(billed);
    return { looked, made: stored.flatMap((request, at) => planCorrection(request, looked[at], step)?.made ?? []) };
  } finally {
    client.release();
  }
}

async function readRequests(client: pg.ClientBase, { where, values, limit }: Pick<CorrectionStep, "where" | "values" | "limit">) {
  const { rows } = await client.query<StoredRequest>(
    `SELECT ${rowColumns}, r.settled_seq, r.upstream_cost_nano_usd AS upstream_cost, c.*,
       trim_scale(r.provider_multiplier) AS provider_multiplier, trim_scale(r.group_multiplier) AS group_multiplier,
       (SELECT d.detail FROM request_details d WHERE d.id = r.id) AS detail
     FROM (SELECT * FROM requests r WHERE r.corrects_id IS NULL AND r.billable AND ${where} LIMIT ${limit}) AS r
     CROSS JOIN LATERAL (SELECT count(*)::int AS corrections, sum(cost_nano_usd)::text AS corrected_cost,
         coalesce(sum(upstream_cost_nano_usd), 0)::text AS corrected_upstream_cost,
         trim_scale((array_agg(provider_multiplier ORDER BY settled_seq DESC))[1]) AS last_provider_multiplier,
         trim_scale((array_agg(group_multiplier ORDER BY settled_seq DESC))[1]) AS last_group_multiplier
       FROM requests k WHERE k.corrects_id = r.id
         AND k.id >= (left(r.id::text, 14) || '7000-8000-000000000000')::uuid AND k.id <= (left(r.id::text, 14) || '7fff-bfff-ffffffffffff')::uuid) AS c`,
    values,
  );
  return rows;
}

function billed(stored: StoredRequest): BilledRequest {
  const cost = stored.corrected_cost;
  const original = toRow(stored);
  return {
    row: cost === null ? original : corrected(original, { usage: noUsage, costNanoUsd: cost }),
    settledSeq: stored.settled_seq,
    corrections: stored.corrections,
    providerMultiplier: stored.last_provider_multiplier ?? stored.provider_multiplier ?? stored.detail?.cost?.providerMultiplier ?? null,
    groupMultiplier: stored.last_group_multiplier ?? stored.group_multiplier ?? stored.detail?.cost?.groupMultiplier ?? null,
  };
}

function planCorrection(
  stored: StoredRequest,
  request: BilledRequest | undefined,
  { chargeOf, cause }: Pick<CorrectionStep, "chargeOf" | "cause">,
): { record: FinishRecord; made: Correction } | null {
  const charge = request ? chargeOf(request) : null;
  if (!request || !charge) return null;
  const { row } = request;
  const { costNanoUsd, breakdown } = priceUsage(charge.price, row.usage, charge);
  const difference = costNanoUsd - BigInt(row.costNanoUsd ?? "0");
  const upstream = upstreamDifference(stored, charge);
  // A request that was never priced is priced from now on, even at zero.
  if (difference === 0n && upstream === 0n && row.costNanoUsd !== null) return null;
  const correction: RequestRow = {
    ...row,
    id: correctionId(row.id, cause.id),
    correctsId: row.id,
    usage: noUsage,
    flags: [],
    costNanoUsd: difference.toString(),
    attempts: 0,
    ttftMs: null,
    durationMs: 0,
  };
  const { id: _, ...told } = cause;
  const detail: RequestDetail = { ...emptyDetail(correction.id), cost: breakdown, priceId: charge.price.id, correction: told };
  const made = { row: corrected(row, correction), correction, count: request.corrections + 1 };
  return { record: { row: correction, detail, upstreamCostNanoUsd: upstream.toString() }, made };
}

/** The last attempt is the one the client received and the one that is repriced; the cost of earlier attempts stays. */
function upstreamDifference(stored: StoredRequest, { price, providerMultiplier }: Charge): bigint {
  const attempts: readonly Attempt[] | undefined = stored.detail?.attempts;
  const last = attempts?.at(-1)?.upstreamCostNanoUsd ?? (stored.attempts <= 1 ? stored.upstream_cost : null);
  // Without the detail, the last attempt's share of the sum is unknown.
  if (last === null) return 0n;
  return upstreamCost(price, toRow(stored).usage, providerMultiplier) - BigInt(last) - BigInt(stored.corrected_upstream_cost);
}

/** In the original's millisecond, and derived from the cause: one cause cannot correct a request twice. */
function correctionId(originalId: string, causeId: string): string {
  const hash = createHash("sha256").update(`${originalId} ${causeId}`).digest("hex");
  const variant = ((Number.parseInt(hash.slice(3, 4), 16) & 0x3) | 0x8).toString(16);
  return `${firstIdAt(timeOfId(originalId)).slice(0, 14)}7${hash.slice(0, 3)}-${variant}${hash.slice(4, 7)}-${hash.slice(7, 19)}`;
}
