import { ChurningMap } from "@sluice/core/churning-map";
import type { Clock } from "@sluice/core/clock";
import { FINAL_REV, type LiveEvent, LOST_REV } from "@sluice/core/events";
import type { RequestDetail, RequestRow } from "@sluice/core/requests";
import type { Registry } from "./contract.ts";
import type { LiveBus } from "./live-bus.ts";
import type { Presence } from "./presence.ts";
import type { RedisLink } from "./redis-link.ts";
import { createRegistryMirror, type RegistryMirror, type RemoteRow } from "./registry-mirror.ts";

const PROGRESS_MS = 200;
/**
 * Other processes see a detail once its row has waited for one to two of these. Nearly all rows are in Postgres by then, so that nearly
 * no detail, which is twice as large as its row, is written to Redis.
 */
const DETAIL_AFTER_MS = 1_000;
/** Details kept while Postgres is unavailable; for further unsettled requests only the rows are kept. */
const MAX_DETAILS = 5_000;

interface Entry {
  row: RequestRow;
  /** Stays JSON if it came as JSON: that is one object, a parsed detail fifty, and thousands wait here. */
  detail: RequestDetail | Buffer | null;
  /** Whether other processes see the detail. */
  shared: boolean;
  rev: number;
  /** Monotonic time of the last `request.progressed`. */
  progressedAtMs: number;
  /** Committed while still in flight here, because the settler was faster than the gateway. Removed when it has finished. */
  settled: boolean;
}

function entryOf(row: RequestRow): Entry {
  return { row, detail: null, shared: false, rev: 0, progressedAtMs: Number.NEGATIVE_INFINITY, settled: false };
}

export interface RegistryOptions {
  bus: LiveBus;
  clock: Clock;
  /** Stable across restarts with one data directory; without `/`. */
  instanceId: string;
  /** Null: a single process, memory only. */
  redis: { link: RedisLink; presence: Presence } | null;
}

/**
 * The in-flight registry. A process that owns no requests uses the same object to read: it writes and sends heartbeats only
 * once it has a row.
 */
export function createRegistry({
  bus,
  clock,
  instanceId,
  redis,
}: RegistryOptions): Registry & { lost(instances: readonly string[]): Promise<void> } {
  const entries = new ChurningMap<string, Entry>();
  /** Entries with a detail by id, oldest first. */
  const detailed = new ChurningMap<string, Entry>();
  /** Ids whose newest state has not been published yet. */
  const quiet = new Set<string>();
  /** Ids whose details are not shared yet: of this interval and of the one before. */
  let recent: string[] = [];
  let waiting: string[] = [];
  let sharing: NodeJS.Timeout | null = null;
  let inFlight = 0;
  let ticker: NodeJS.Timeout | null = null;
  /** Whether the rows of an earlier life are restored. A new request implies it, because none is accepted before. */
  let complete = false;
  const mirror: RegistryMirror | null = redis
    ? createRegistryMirror(redis.link, redis.presence, {
        instanceId,
        source: {
          ids: () => entries.keys(),
          rowOf: (id) => entries.get(id)?.row,
          detailOf: (id) => sharedDetailOf(entries.get(id)),
          complete: () => complete,
        },
      })
    : null;
  // A reader who receives an event about a row must find the row.
  if (mirror) bus.beforeSend(mirror.flush);
  redis?.presence.onReturned(returned);

  function sharedDetailOf(entry: Entry | undefined): Entry["detail"] {
    return entry?.shared ? entry.detail : null;
  }

  function shareDetails(): void {
    for (const id of waiting) {
      const entry = detailed.get(id);
      if (!entry) continue;
      entry.shared = true;
      mirror?.changed(id);
    }
    waiting = recent;
    recent = [];
    sharing = waiting.length > 0 ? setTimeout(shareDetails, DETAIL_AFTER_MS) : null;
  }

  function publish(type: Exclude<Extract<LiveEvent, { row: RequestRow }>["type"], "request.corrected">, { rev, row }: Entry): void {
    redis?.presence.hold("registry");
    mirror?.changed(row.id);
    bus.publish({ type, rev, row });
  }

  /** Viewers consider requests in flight here lost, so their revs continue above that. */
  function returned(): void {
    for (const entry of entries.values()) {
      if (entry.rev === FINAL_REV) continue;
      entry.rev = Math.max(entry.rev, LOST_REV);
      publishProgress(entry);
    }
  }

  /** Publishes what dead instances had in flight. */
  async function lost(instances: readonly string[]): Promise<void> {
    for (const row of (await mirror?.lostOf(instances)) ?? []) bus.publish({ type: "request.lost", rev: LOST_REV, row });
  }

  function started(row: RequestRow): void {
    if (entries.has(row.id)) return;
    complete = true;
    const entry = entryOf(row);
    entries.set(row.id, entry);
    inFlight += 1;
    publish("request.started", entry);
  }

  function progressed(row: RequestRow): void {
    const entry = entries.get(row.id);
    if (!entry || entry.rev === FINAL_REV) return;
    entry.row = row;
    if (clock.monotonic() - entry.progressedAtMs >= PROGRESS_MS) publishProgress(entry);
    else quiet.add(row.id);
    if (quiet.size > 0) ticker ??= setTimeout(publishQuiet, PROGRESS_MS);
  }

  function publishProgress(entry: Entry): void {
    entry.rev += 1;
    entry.progressedAtMs = clock.monotonic();
    quiet.delete(entry.row.id);
    publish("request.progressed", entry);
  }

  /** One timer for all requests, running while any of them has unpublished progress. */
  function publishQuiet(): void {
    ticker = null;
    for (const id of quiet) {
      const entry = entries.get(id);
      if (entry) publishProgress(entry);
    }
    quiet.clear();
  }

  function finished(row: RequestRow, detail: RequestDetail | Buffer): void {
    const known = entries.get(row.id);
    if (known?.rev === FINAL_REV) return;
    if (known) inFlight -= 1;
    const entry = known ?? entryOf(row);
    entry.row = row;
    entry.detail = detail;
    entry.rev = FINAL_REV;
    if (!known) entries.set(row.id, entry);
    if (quiet.size > 0) quiet.delete(row.id);
    detailed.set(row.id, entry);
    if (mirror) {
      recent.push(row.id);
      sharing ??= setTimeout(shareDetails, DETAIL_AFTER_MS);
    }
    if (detailed.size > MAX_DETAILS) forgetOldestDetail();
    publish(row.state === "refused" ? "request.refused" : "request.finished", entry);
    if (entry.settled) settled([row.id]);
  }

  function forgetOldestDetail(): void {
    const [oldest] = detailed;
    if (oldest === undefined) return;
    const [id, entry] = oldest;
    detailed.delete(id);
    entry.detail = null;
    mirror?.changed(id);
  }

  function settled(ids: readonly string[]): void {
    // Ends that a dead instance had written and this one has settled.
    const foreign: string[] = [];
    for (const id of ids) {
      const entry = entries.get(id);
      if (!entry) {
        foreign.push(id);
        continue;
      }
      if (entry.rev !== FINAL_REV) {
        entry.settled = true;
        continue;
      }
      entries.delete(id);
      detailed.delete(id);
      mirror?.changed(id);
    }
    if (foreign.length > 0) mirror?.takeOver(foreign);
    if (entries.size === 0) redis?.presence.release("registry");
  }

  async function list(range: { before?: string; after?: string; limit?: number } = {}): Promise<RequestRow[]> {
    const found = new Map<string, () => RequestRow>();
    // If the remote read fails, this instance's rows remain; viewers are reset when Redis is back.
    const others: RemoteRow[] = mirror ? await mirror.others().catch(() => []) : [];
    const within = (id: string) => !(range.before && id >= range.before) && !(range.after && id <= range.after);
    for (const { id, row } of others) if (within(id)) found.set(id, row);
    for (const [id, { row }] of entries) if (within(id)) found.set(id, () => row);
    const newest = [...found].sort(([a], [b]) => (a < b ? 1 : -1));
    return newest.slice(0, range.limit).map(([, row]) => row());
  }

  return {
    started,
    progressed,
    finished,
    settled,
    restore(finishes) {
      for (const { row, detail } of finishes) finished(row, detail);
      if (finishes.length > 0) mirror?.takeOver(finishes.map(({ row }) => row.id));
      if (complete) return;
      complete = true;
      mirror?.resync();
    },
    lost,
    list,
    async find(id) {
      const entry = entries.get(id);
      if (entry)
        return { row: entry.row, detail: Buffer.isBuffer(entry.detail) ? JSON.parse(entry.detail.toString("utf8")) : entry.detail };
      return mirror ? mirror.find(id).catch(() => null) : null;
    },
    inFlight: () => inFlight,
    async close() {
      for (const timer of [ticker, sharing]) if (timer) clearTimeout(timer);
      [ticker, sharing] = [null, null];
      redis?.presence.release("registry");
      await mirror?.close();
    },
  };
}
