/**
 * The configuration in memory: keys, users, providers, prices and settings, read by every request without a query to
 * Postgres. A change is in force on every instance within one second (by message) or 30 (by polling, which also detects manual
 * edits in PostgreSQL). Requests always see one consistent configuration, and known keys keep working while Postgres is
 * unavailable, even across a restart (a copy on disk). It is a package of its own so that the hot path has a single,
 * synchronous source of truth.
 */
import { type Clock, systemClock } from "@sluice/core/clock";
import { SluiceError } from "@sluice/core/errors";
import { type Log, silentLog } from "@sluice/core/log";
import { followChannel } from "@sluice/db/follow-channel";
import { credentialPlace, openSecret, proxyPlace } from "@sluice/db/secrets";
import type { Redis } from "ioredis";
import type { Pool } from "pg";
import type { Config, KeyConfig, Snapshot } from "./config.ts";
import { configChannel } from "./config-version.ts";
import { createCopyWriter, readDiskCopy } from "./disk-copy.ts";
import { createKeyMisses } from "./key-misses.ts";
import { loadConfig, lookAtConfig } from "./load-config.ts";
import { type StoredConfig, toConfig } from "./stored-config.ts";
import { createVersionCheck } from "./version-check.ts";

export interface SnapshotOptions {
  pool: Pool;
  /** null = no messages: changes by other processes are found by polling. Owned by the caller. */
  redis: Redis | null;
  /** SLUICE_SECRET, with which the providers' secrets are encrypted. */
  secret: string;
  /** The copy on disk, e.g. `<data dir>/snapshot.json`. */
  path: string;
  tenantId?: string;
  log?: Log;
  clock?: Clock;
  /** For tests. */
  timing?: Partial<SnapshotTiming>;
}

export interface SnapshotTiming {
  /** Interval between version checks; together with a load and a late answer it stays below the promised 30 s. */
  pollMs: number;
  /** Minimum time between two checks, whatever triggers them. */
  minCheckMs: number;
  /** First and longest pause after Postgres did not answer. */
  backOffMs: number;
  maxBackOffMs: number;
  /** How long Postgres may take to answer. */
  deadlineMs: number;
}

const defaultTiming: SnapshotTiming = { pollMs: 15_000, minCheckMs: 1_000, backOffMs: 1_000, maxBackOffMs: 10_000, deadlineMs: 5_000 };

/**
 * Loads from Postgres, or from the copy on disk when Postgres is unavailable.
 * @throws SluiceError `unavailable` when neither works.
 */
export async function createSnapshot(options: SnapshotOptions): Promise<Snapshot> {
  const { pool, redis, secret, path, tenantId = "default", log = silentLog, clock = systemClock } = options;
  const timing = { ...defaultTiming, ...options.timing };
  const listeners = new Set<(config: Config, previous: Config) => void>();
  const secrets = new Map<string, string>();
  const copy = createCopyWriter(path, log);
  const misses = createKeyMisses(clock, timing.minCheckMs);
  let config: Config | null = null;
  let revoked: ReadonlySet<string> = new Set();
  let json = "";
  let freshAtMs = 0;
  /** As of the last load. A different count means that rows were written, perhaps by hand and without a new version. */
  let seenWrites = "";
  let running: Promise<void> | null = null;
  let queued: Promise<void> | null = null;

  /** Decrypts once; the result is dropped when no provider uses it any more. */
  const openOnce = (record: string, rowId: string): string => {
    let clear = secrets.get(record);
    if (clear === undefined) {
      clear = openSecret(secret, record, { table: "providers", column: "secret", rowId });
      secrets.set(record, clear);
    }
    return clear;
  };

  const current = (): Config => {
    if (!config) throw new SluiceError("unavailable", { detail: "no configuration was loaded" });
    return config;
  };

  const replace = (stored: StoredConfig, storedJson: string): void => {
    const previous = config;
    config = toConfig(stored, log);
    revoked = new Set(stored.revoked);
    json = storedJson;
    misses.forget();
    const records = new Set(
      stored.providers.flatMap(({ secret, credentials = [], proxy = "" }) => [secret, proxy, ...credentials.map((one) => one.secret)]),
    );
    for (const record of secrets.keys()) if (!records.has(record)) secrets.delete(record);
    if (!previous) return;
    for (const listener of listeners) {
      try {
        listener(config, previous);
      } catch (error) {
        log.error({ error: String(error) }, "a listener failed at a change of the configuration");
      }
    }
  };

  const load = async (): Promise<void> => {
    const { stored, look } = await check.attempt(() => loadConfig(pool, tenantId, timing.deadlineMs));
    seenWrites = look.writes;
    freshAtMs = clock.now();
    const storedJson = JSON.stringify(stored);
    if (storedJson === json) return;
    replace(stored, storedJson);
    copy.write(storedJson, freshAtMs);
  };

  /** One load at a time. A caller during one waits for the next, because the running one may have begun before the change. */
  const refresh = (): Promise<void> => {
    if (running) {
      queued ??= running.then(noop, noop).then(() => {
        queued = null;
        return refresh();
      });
      return queued;
    }
    running = load().finally(() => {
      running = null;
    });
    return running;
  };

  const check = createVersionCheck({
    clock,
    timing,
    log,
    async look() {
      const { version, writes } = await lookAtConfig(pool, tenantId, timing.deadlineMs);
      freshAtMs = clock.now();
      if (version !== config?.version || writes !== seenWrites) await refresh();
    },
  });

  await refresh().catch(async (error: unknown) => {
    const found = await readDiskCopy(path, tenantId).catch((damage: unknown) => {
      log.error({ path, reason: String(damage) }, "the configuration's copy on disk cannot be used");
      return null;
    });
    if (!found) throw new SluiceError("unavailable", { detail: "Postgres does not answer and there is no copy on disk", cause: error });
    log.warn(
      { path, version: found.config.version, savedAtMs: found.savedAtMs },
      "Postgres does not answer: starting with the copy on disk",
    );
    freshAtMs = found.savedAtMs;
    replace(found.config, JSON.stringify(found.config));
  });

  const unfollow = redis
    ? followChannel(redis, configChannel, {
        onMessage: (version) => {
          if (version !== config?.version) void refresh().catch(noop);
        },
        onSubscribed: () => void check.ask().catch(noop),
      })
    : null;
  check.start();

  return {
    current,
    async findKey(sha256: string): Promise<KeyConfig | null> {
      const known = current().keysBySha256.get(sha256);
      if (known || revoked.has(sha256) || misses.isFresh(sha256)) return known ?? null;
      await misses.whileWaiting(() => check.ask());
      const found = current().keysBySha256.get(sha256);
      if (!found) misses.remember(sha256);
      return found ?? null;
    },
    secretOf: (provider, credential) =>
      credential ? openOnce(credential.secret, credentialPlace(provider.id, credential.label)) : openOnce(provider.secret, provider.id),
    proxyOf: ({ id, proxy = "" }) => (proxy === "" ? "" : openOnce(proxy, proxyPlace(id))),
    refresh,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    ageMs: () => Math.max(0, clock.now() - freshAtMs),
    async close() {
      unfollow?.();
      check.close();
      await (queued ?? running)?.catch(noop);
      await copy.settled();
    },
  };
}

function noop(): void {}
