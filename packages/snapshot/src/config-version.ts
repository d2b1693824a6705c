import type { Redis } from "ioredis";
import type { ClientBase } from "pg";

/** Carries the new version as text; a process that misses the message finds out by polling. */
export const configChannel = "sluice:config";

/** Tells every instance that the configuration has changed. Call it after the commit. Resolves false when Redis is unavailable. */
export async function announceConfigChange(redis: Redis, version: string): Promise<boolean> {
  try {
    await redis.publish(configChannel, version);
    return true;
  } catch {
    return false;
  }
}

/**
 * Increments the version inside a change's transaction and returns it. The row stays locked until the commit, so versions
 * follow the order of commits.
 */
export async function bumpConfigVersion(client: Pick<ClientBase, "query">, tenantId = "default"): Promise<string> {
  const { rows } = await client.query<{ version: string }>(
    `INSERT INTO config_version AS v (tenant_id, version) VALUES ($1, 1)
     ON CONFLICT (tenant_id) DO UPDATE SET version = v.version + 1 RETURNING version::text AS version`,
    [tenantId],
  );
  return rows[0]?.version ?? "0";
}
