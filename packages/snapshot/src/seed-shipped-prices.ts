import { newId } from "@sluice/core/ids";
import { shippedPrices, shippedPricesDate } from "@sluice/core/pricing/shipped-prices";
import type { Pool } from "pg";
import { bumpConfigVersion } from "./config-version.ts";

const insertSql = `
  INSERT INTO prices (id, tenant_id, model, input_per_mtok, output_per_mtok, cache_write_5m_per_mtok, cache_write_1h_per_mtok, cache_read_per_mtok, source)
  SELECT s.id, $1, s.model, s.input, s.output, s.write_5m, s.write_1h, s.read, $2
  FROM unnest($3::uuid[], $4::text[], $5::numeric[], $6::numeric[], $7::numeric[], $8::numeric[], $9::numeric[])
    AS s (id, model, input, output, write_5m, write_1h, read)
  WHERE NOT EXISTS (SELECT 1 FROM prices p WHERE p.tenant_id = $1 AND p.model = s.model)`;

/**
 * Writes the shipped list prices for models without a price row, so that a fresh installation bills at once and every ledger
 * row can name its price. Prices set by an administrator stay, and so do older shipped prices. Resolves with the number of
 * rows written. Running it again, or in two processes at once, writes nothing twice.
 */
export async function seedShippedPrices(pool: Pool, tenantId = "default"): Promise<number> {
  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    await client.query("SELECT pg_advisory_xact_lock(hashtextextended('sluice.prices', 0))");
    const { rowCount } = await client.query(insertSql, [
      tenantId,
      `shipped ${shippedPricesDate}`,
      shippedPrices.map(() => newId()),
      shippedPrices.map((price) => price.model),
      shippedPrices.map((price) => price.inputPerMTok),
      shippedPrices.map((price) => price.outputPerMTok),
      shippedPrices.map((price) => price.cacheWrite5mPerMTok),
      shippedPrices.map((price) => price.cacheWrite1hPerMTok),
      shippedPrices.map((price) => price.cacheReadPerMTok),
    ]);
    if (rowCount) await bumpConfigVersion(client, tenantId);
    await client.query("COMMIT");
    client.release();
    return rowCount ?? 0;
  } catch (error) {
    client.release(true);
    throw error;
  }
}
