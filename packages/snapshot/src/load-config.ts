import { epochMs } from "@sluice/db/epoch-ms";
import type { Pool, PoolClient } from "pg";
import type { GroupConfig, KeyConfig, PriceConfig, ProviderConfig, UserConfig } from "./config.ts";
import type { StoredConfig } from "./stored-config.ts";

/** An owner's limits, in the form of core/limits. */
const limitsSql = `rpm, tpm, in_flight AS "inFlight", trim_scale(cost_5h_usd)::text AS "cost5hUsd",
    trim_scale(cost_day_usd)::text AS "costDayUsd", trim_scale(cost_week_usd)::text AS "costWeekUsd",
    trim_scale(cost_month_usd)::text AS "costMonthUsd", trim_scale(cost_total_usd)::text AS "costTotalUsd",
    ${epochMs("cost_reset_at")} AS "costResetAtMs"`;
/**
 * The version, one row by primary key, and how many rows have been written to the tables below, from PostgreSQL's in-memory statistics:
 * the count also moves after manual edits, which do not raise the version. Of accounts only the terms matter here, and they raise it.
 */
const lookSql = `SELECT coalesce((SELECT version::text FROM config_version WHERE tenant_id = $1), '0') AS version, (${[
  "keys",
  "users",
  "groups",
  "providers",
  "prices",
  "settings",
]
  .flatMap((table) => ["inserted", "updated", "deleted"].map((what) => `pg_stat_get_tuples_${what}('${table}'::regclass)`))
  .join(" + ")})::text AS writes`;
/** One entry per secret: after a rotation, the old secret is the same key with an earlier expiry, so it stops by the clock alone. */
const keysSql = `
  SELECT id, user_id AS "userId", name, "group", secret.sha256, ${limitsSql},
    ${epochMs("secret.until")} AS "expiresAtMs", disabled_at IS NULL AS enabled, nullif(policies, '{}') AS policies
  FROM keys CROSS JOIN LATERAL (VALUES (1, sha256, expires_at), (2, previous_sha256, least(expires_at, previous_valid_until)))
    AS secret(place, sha256, until)
  WHERE tenant_id = $1 AND revoked_at IS NULL AND secret.sha256 IS NOT NULL ORDER BY id, place`;
const revokedSql = `
  SELECT unnest(array_remove(ARRAY[sha256, previous_sha256], NULL)) AS sha256
  FROM keys WHERE tenant_id = $1 AND revoked_at > now() - interval '90 days' ORDER BY revoked_at DESC LIMIT 100000`;
const usersSql = `
  SELECT u.id, email, name, role::text AS role, disabled_at IS NULL AS enabled, coalesce(a.billing, 'postpaid') AS billing,
    ${epochMs("u.expires_at")} AS "expiresAtMs", nullif(u.policies, '{}') AS policies,
    ${limitsSql}
  FROM users u LEFT JOIN accounts a ON a.user_id = u.id WHERE u.tenant_id = $1 ORDER BY u.id`;
const groupsSql = `
  SELECT name, trim_scale(cost_multiplier)::text AS "costMultiplier", ${limitsSql} FROM groups WHERE tenant_id = $1 ORDER BY name`;
const providersSql = `
  SELECT id, name, dialect, serves, base_url AS "baseUrl", secret, groups, priority, weight, models,
    model_redirects AS "modelRedirects", group_priorities AS "groupPriorities", schedule, timeouts, breaker, credentials,
    credential_order AS "credentialOrder", secret_weight AS "secretWeight", headers, proxy, trim_scale(cost_multiplier)::text AS "costMultiplier", enabled,
    ${limitsSql}, CASE WHEN override IS NOT NULL THEN json_build_object('kind', override,
      'untilMs', ${epochMs("override_until")}, 'note', override_note) END AS override
  FROM providers WHERE tenant_id = $1 AND deleted_at IS NULL ORDER BY id`;
/** UUIDv7 ids rise with time: the highest id of a model is its newest row, the current price. */
const pricesSql = `
  SELECT DISTINCT ON (model) id, model, trim_scale(input_per_mtok)::text AS "inputPerMTok",
    trim_scale(output_per_mtok)::text AS "outputPerMTok", trim_scale(cache_write_5m_per_mtok)::text AS "cacheWrite5mPerMTok",
    trim_scale(cache_write_1h_per_mtok)::text AS "cacheWrite1hPerMTok", trim_scale(cache_read_per_mtok)::text AS "cacheReadPerMTok", max_output_tokens AS "maxOutputTokens"
  FROM prices WHERE tenant_id = $1 ORDER BY model, id DESC`;
const settingsSql = "SELECT name, value FROM settings WHERE tenant_id = $1";

/** Marks these statements, which follow each new version, so that statement counts can tell them from those that users cause. */
const marked = (sql: string): string => `${sql} /* config_version */`;

/** Tells whether there is anything new. */
export interface Look {
  version: string;
  writes: string;
}

/** Reads everything in one REPEATABLE READ transaction, so that the version matches the data. */
export function loadConfig(pool: Pool, tenantId: string, deadlineMs: number): Promise<{ stored: StoredConfig; look: Look }> {
  return withClient(pool, deadlineMs, async (client) => {
    await client.query(marked("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"));
    const look = await readLook(client, tenantId);
    const keys = await client.query<KeyConfig>(marked(keysSql), [tenantId]);
    const revoked = await client.query<{ sha256: string }>(marked(revokedSql), [tenantId]);
    const users = await client.query<UserConfig>(marked(usersSql), [tenantId]);
    const groups = await client.query<GroupConfig>(marked(groupsSql), [tenantId]);
    const providers = await client.query<ProviderConfig>(marked(providersSql), [tenantId]);
    const prices = await client.query<PriceConfig>(marked(pricesSql), [tenantId]);
    const settings = await client.query<{ name: string; value: unknown }>(marked(settingsSql), [tenantId]);
    await client.query(marked("COMMIT"));
    const stored = {
      tenantId,
      version: look.version,
      keys: keys.rows,
      revoked: revoked.rows.map(({ sha256 }) => sha256),
      users: users.rows,
      groups: groups.rows,
      providers: providers.rows,
      prices: prices.rows,
      settings: Object.fromEntries(settings.rows.map(({ name, value }) => [name, value])),
    };
    return { stored, look };
  });
}

/** Checks whether there is anything new, from in-memory statistics and by primary key. */
export function lookAtConfig(pool: Pool, tenantId: string, deadlineMs: number): Promise<Look> {
  return withClient(pool, deadlineMs, (client) => readLook(client, tenantId));
}

async function readLook(client: PoolClient, tenantId: string): Promise<Look> {
  const { rows } = await client.query<Look>(lookSql, [tenantId]);
  return rows[0] ?? { version: "0", writes: "" };
}

/**
 * Uses a connection for at most `deadlineMs`. One that fails or does not answer is closed rather than returned, so that a frozen
 * Postgres cannot occupy the pool's connections.
 */
async function withClient<T>(pool: Pool, deadlineMs: number, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const connecting = pool.connect();
  const client = await within(connecting, deadlineMs).catch((error: unknown) => {
    connecting.then(
      (late) => late.release(),
      () => undefined,
    );
    throw error;
  });
  try {
    const result = await within(work(client), deadlineMs);
    client.release();
    return result;
  } catch (error) {
    client.release(true);
    throw error;
  }
}

function within<T>(promise: Promise<T>, ms: number): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`Postgres did not answer within ${ms} ms`)), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
