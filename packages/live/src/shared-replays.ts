import type { BusId } from "@sluice/core/events";
import { compareBusIds, parseBusId } from "./bus-id.ts";
import type { Replay } from "./live-bus.ts";

interface Waiter {
  after: BusId;
  resolve: (replay: Replay) => void;
  reject: (error: unknown) => void;
}

/**
 * When an api has restarted all of its viewers come back at once: they read one history. One reading is under way at a
 * time; who asks meanwhile waits for the next, which begins at the oldest of their ids. Those who ask from the same id
 * get the same object.
 */
export function shareReplays(read: (after: BusId) => Promise<Replay>): (after: BusId) => Promise<Replay> {
  let waiting: Waiter[] = [];
  let reading = false;

  /** Until nobody waits. Never rejects. */
  async function readOn(): Promise<void> {
    reading = true;
    // Those who ask at the same time are in the first group already.
    await Promise.resolve();
    while (waiting.length > 0) {
      const group = waiting;
      waiting = [];
      const first = oldest(group.map(({ after }) => after));
      try {
        const replay = await read(first);
        const parts = new Map<BusId, Replay | null>();
        for (const waiter of group) {
          if (!parts.has(waiter.after)) parts.set(waiter.after, partOf(replay, first, waiter.after));
          const part = parts.get(waiter.after);
          if (part) waiter.resolve(part);
          else waiting.push(waiter);
        }
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    reading = false;
  }

  return (after) =>
    new Promise((resolve, reject) => {
      waiting.push({ after, resolve, reject });
      if (!reading) void readOn();
    });
}

/** Of one epoch the lowest id; another epoch, or what is no id, is for a reading of its own. */
function oldest(ids: readonly BusId[]): BusId {
  const [first = ""] = ids;
  if (!parseBusId(first)) return first;
  return ids.reduce((least, id) => (compareBusIds(id, least) < 0 ? id : least), first);
}

/** What follows `after` in a replay that begins at `first`; null when `after` is not on its way. */
function partOf(replay: Replay, first: BusId, after: BusId): Replay | null {
  if (after === first) return replay;
  if ("reset" in replay) return null;
  const at = replay.batches.findIndex(({ id }) => id === after);
  return at < 0 ? null : { batches: replay.batches.slice(at + 1), position: replay.position };
}
