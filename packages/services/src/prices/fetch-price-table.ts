import { createHash } from "node:crypto";
import { toSluiceError } from "@sluice/core/errors";
import { MOST_PRICE_FILE } from "@sluice/core/inputs/price";
import { type PriceTable, PriceTableError, readPriceTable } from "@sluice/core/pricing/litellm-prices";
import type { Ctx } from "../context.ts";
import type { PriceSourceFailure } from "./price-view.ts";

const TIMEOUT_MS = 30_000;

export interface FetchedTable {
  table: PriceTable;
  /** Identifies the text: the first twelve digits of its SHA-256. */
  version: string;
}

/**
 * Fetches a price table through the same egress as every request: guarded addresses, no redirects, at most 8 MB. Failures are reported in
 * terms that do not turn this into a port scanner.
 */
export async function fetchPriceTable(ctx: Ctx, url: string): Promise<FetchedTable | PriceSourceFailure> {
  const atMs = ctx.clock.now();
  try {
    const response = await ctx.egress.request({
      url,
      method: "GET",
      headers: { accept: "application/json, text/plain", "accept-encoding": "identity", "user-agent": `sluice/${ctx.version}` },
      signal: AbortSignal.timeout(TIMEOUT_MS),
      connectTimeoutMs: TIMEOUT_MS,
      headersTimeoutMs: TIMEOUT_MS,
      idleTimeoutMs: TIMEOUT_MS,
    });
    if (response.status !== 200) {
      response.body.destroy();
      return { reason: "status", status: response.status, atMs };
    }
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of response.body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > MOST_PRICE_FILE) return { reason: "too_large", atMs };
      chunks.push(chunk);
    }
    const text = Buffer.concat(chunks).toString("utf8");
    return { table: readPriceTable(text), version: createHash("sha256").update(text).digest("hex").slice(0, 12) };
  } catch (thrown) {
    return failureOf(ctx, thrown, atMs);
  }
}

function failureOf(ctx: Ctx, thrown: unknown, atMs: number): PriceSourceFailure {
  if (thrown instanceof PriceTableError) return { reason: thrown.reason, ...(thrown.line > 0 && { line: thrown.line }), atMs };
  const error = toSluiceError(thrown);
  ctx.log.warn({ requestId: ctx.requestId, code: error.code, detail: error.detail }, "the price source gave no table");
  const reason =
    error.code === "upstream_blocked" || error.code === "invalid_request" ? "blocked" : isTimeout(thrown) ? "timeout" : "unreachable";
  return { reason, atMs };
}

function isTimeout(thrown: unknown): boolean {
  return (thrown instanceof DOMException && thrown.name === "TimeoutError") || toSluiceError(thrown).code === "upstream_timeout";
}
