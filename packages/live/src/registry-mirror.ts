import type { RequestDetail, RequestRow } from "@sluice/core/requests";
import { rowJson } from "@sluice/core/row-json";
import { sharedReading } from "@sluice/core/shared-reading";
import type { Presence } from "./presence.ts";
import type { RedisLink } from "./redis-link.ts";

const FLUSH_MS = 50;
const RETRY_MS = 1_000;
const CHUNK = 200;
/** For the hashes of a dead instance, which may have written them after its last beat. */
const EXPIRE_S = 86_400;
/** Longer than a killed instance's heartbeat remains valid. */
const TAKEN_EXPIRE_S = 600;

/** What the mirror reads from the registry that it mirrors. */
export interface MirrorSource {
  ids(): Iterable<string>;
  rowOf(id: string): RequestRow | undefined;
  /** As an object or as JSON. */
  detailOf(id: string): RequestDetail | Buffer | null;
  /** Whether it holds everything that an earlier life left; until then the hashes keep what they have. */
  complete(): boolean;
}

/** A row of another instance, parsed on demand. */
export interface RemoteRow {
  id: string;
  row(): RequestRow;
}

/**
 * The registry of this instance as others see it: a hash of rows and one of details, written in batches and never awaited.
 * Memory is the truth: after each connection the hashes are made equal to it, which also removes what an earlier life of the
 * instance left.
 */
export interface RegistryMirror {
  changed(id: string): void;
  /** Writes changes now; does nothing while Redis is unavailable. `jsonOf` may know the JSON of rows already. */
  flush(jsonOf?: (row: RequestRow) => string): void;
  /** Makes the hashes equal to memory, now. */
  resync(): void;
  /** From now on this instance, or Postgres, has these rows of dead instances. */
  takeOver(ids: readonly string[]): void;
  /** Rows of other instances as of this call or later; those in flight on a dead one are lost. @throws when Redis does not answer. */
  others(): Promise<RemoteRow[]>;
  /** What dead instances had in flight, as lost; kept for another day. @throws when Redis does not answer. */
  lostOf(instances: readonly string[]): Promise<RequestRow[]>;
  /** @throws when Redis does not answer. */
  find(id: string): Promise<{ row: RequestRow; detail: RequestDetail | null } | null>;
  close(): Promise<void>;
}

export function createRegistryMirror(
  link: RedisLink,
  presence: Presence,
  { instanceId, source }: { instanceId: string; source: MirrorSource },
): RegistryMirror {
  const { redis } = link;
  const { rowsKey, detailsKey } = presence;
  let dirty = new Set<string>();
  const taken = new Set<string>();
  /** Those whose details were written: few, as most are settled before. */
  const detailed = new Set<string>();
  let timer: NodeJS.Timeout | null = null;
  let retry: NodeJS.Timeout | null = null;
  let closed = false;

  link.onReady(() => void resync());
  presence.onForgotten(() => void resync());

  function flush(jsonOf = rowJson): void {
    if (timer) clearTimeout(timer);
    timer = null;
    if (taken.size > 0 && link.ready()) handOver().catch(failed);
    if (dirty.size === 0) return;
    const ids = [...dirty];
    // A new Set, because the old table keeps what was cleared from it (core/churning-map).
    dirty = new Set();
    // When disconnected, the next connection writes everything.
    if (link.ready()) Promise.all(write(ids, jsonOf)).catch(failed);
  }

  function write(ids: readonly string[], jsonOf = rowJson): Promise<unknown>[] {
    const rows: string[] = [];
    const details: string[] = [];
    const gone: string[] = [];
    const goneDetails: string[] = [];
    for (const id of ids) {
      const row = source.rowOf(id);
      const detail = source.detailOf(id);
      if (row) rows.push(id, jsonOf(row));
      else gone.push(id);
      if (row && detail) {
        details.push(id, Buffer.isBuffer(detail) ? detail.toString("utf8") : JSON.stringify(detail));
        detailed.add(id);
      } else if (!row && detailed.delete(id)) goneDetails.push(id);
    }
    const sent: Promise<unknown>[] = [];
    if (rows.length > 0) sent.push(redis.hset(rowsKey(instanceId), ...rows));
    if (details.length > 0) sent.push(redis.hset(detailsKey(instanceId), ...details));
    if (gone.length > 0) sent.push(redis.hdel(rowsKey(instanceId), ...gone));
    if (goneDetails.length > 0) sent.push(redis.hdel(detailsKey(instanceId), ...goneDetails));
    return sent;
  }

  /**
   * Runs after this instance's own copies were written. Also removes rows from an instance that still counts as alive, because it
   * may have been killed a moment ago. Leaves a note there, so that its silence is still detected although it owns nothing.
   */
  async function handOver(): Promise<void> {
    const ids = [...taken];
    const { alive, dead } = await presence.census();
    for (const instance of [...alive, ...dead]) {
      if (instance === instanceId) continue;
      let removed = 0;
      for (let at = 0; at < ids.length; at += CHUNK) {
        const some = ids.slice(at, at + CHUNK);
        const [rows] = await Promise.all([redis.hdel(rowsKey(instance), ...some), redis.hdel(detailsKey(instance), ...some)]);
        removed += rows;
      }
      if (removed > 0) await redis.set(presence.takenKey(instance), "1", "EX", TAKEN_EXPIRE_S);
    }
    // Not before: without Redis, the next connection hands over.
    for (const id of ids) taken.delete(id);
  }

  function failed(): void {
    if (!closed) retry ??= setTimeout(() => void resync(), RETRY_MS);
  }

  async function resync(): Promise<void> {
    if (retry) clearTimeout(retry);
    retry = null;
    if (closed || !link.ready()) return;
    for (const id of detailed) if (!source.rowOf(id)) detailed.delete(id);
    try {
      for (const key of source.complete() ? [rowsKey(instanceId), detailsKey(instanceId)] : []) {
        const kept = await redis.hkeys(key);
        const stale = kept.filter((id) => !source.rowOf(id));
        // Some may be of an earlier life.
        if (key === detailsKey(instanceId)) for (const id of kept) if (source.rowOf(id)) detailed.add(id);
        for (let at = 0; at < stale.length; at += CHUNK) await redis.hdel(key, ...stale.slice(at, at + CHUNK));
      }
      const ids = [...source.ids()];
      for (let at = 0; at < ids.length; at += CHUNK) await Promise.all(write(ids.slice(at, at + CHUNK)));
      if (taken.size > 0) await handOver();
    } catch {
      failed();
    }
  }

  /** Never older than the call: a list older than the bus position returned with it would miss what was published in between. */
  const others = sharedReading(readOthers);

  async function readOthers(): Promise<RemoteRow[]> {
    const { alive, dead } = await presence.census();
    // Living instances last, so that rows they took over win.
    const all = [...dead.map((name) => [name, true] as const), ...alive.map((name) => [name, false] as const)];
    const others = all.filter(([name]) => name !== instanceId || !source.complete());
    const perInstance = await Promise.all(others.map(([name, isDead]) => scan(name, { isDead })));
    return perInstance.flat();
  }

  async function scan(instance: string, { isDead }: { isDead: boolean }): Promise<RemoteRow[]> {
    const found = new Map<string, RemoteRow>();
    let cursor = "0";
    do {
      const [next, fields] = await redis.hscan(rowsKey(instance), cursor, "COUNT", CHUNK);
      cursor = next;
      for (let at = 0; at + 1 < fields.length; at += 2) {
        const id = fields[at] ?? "";
        found.set(id, remoteRow(id, fields[at + 1] ?? "", isDead));
      }
    } while (cursor !== "0");
    return [...found.values()];
  }

  return {
    changed(id) {
      dirty.add(id);
      timer ??= setTimeout(flush, FLUSH_MS);
    },
    flush,
    resync: () => void resync(),
    takeOver(ids) {
      for (const id of ids) taken.add(id);
      timer ??= setTimeout(flush, FLUSH_MS);
    },
    others,
    async lostOf(instances) {
      const rows: RequestRow[] = [];
      for (const instance of instances) {
        for (const remote of await scan(instance, { isDead: true })) {
          const row = remote.row();
          if (row.state === "lost") rows.push(row);
        }
        await Promise.all([redis.expire(rowsKey(instance), EXPIRE_S), redis.expire(detailsKey(instance), EXPIRE_S)]);
      }
      return rows;
    },
    async find(id) {
      const { alive, dead } = await presence.census();
      for (const instance of [...alive, ...dead]) {
        if (instance === instanceId && source.complete()) continue;
        const [row, detail] = await Promise.all([redis.hget(rowsKey(instance), id), redis.hget(detailsKey(instance), id)]);
        if (!row) continue;
        return { row: readRow(row, dead.includes(instance)), detail: detail ? (JSON.parse(detail) as RequestDetail) : null };
      }
      return null;
    },
    async close() {
      flush();
      closed = true;
      if (timer) clearTimeout(timer);
      if (retry) clearTimeout(retry);
    },
  };
}

function remoteRow(id: string, json: string, isDead: boolean): RemoteRow {
  let parsed: RequestRow | null = null;
  return {
    id,
    row: () => {
      parsed ??= readRow(json, isDead);
      return parsed;
    },
  };
}

/** Requests in flight on a dead instance are lost until they are recovered. */
function readRow(json: string, isDead: boolean): RequestRow {
  const row = JSON.parse(json) as RequestRow;
  return isDead && row.state === "in_flight" ? { ...row, state: "lost" } : row;
}
