import type { BusId } from "@sluice/core/events";
import { compareBusIds, parseBusId } from "./bus-id.ts";
import type { Replay } from "./live-bus.ts";

interface Waiter {
  after: BusId;
  resolve: (replay: Replay) => void;
  reject: (error: unknown) => void;
}

/**
 * When an api process restarts, all of its viewers reconnect at once and need the same history. One read runs at a time; callers
 * during it wait for the next, which begins at the oldest of their ids. Callers with the same id get the same object.
 */
export function shareReplays(read: (after: BusId) => Promise<Replay>): (after: BusId) => Promise<Replay> {
  let waiting: Waiter[] = [];
  let reading = false;

  /** Runs until nobody waits. Never rejects. */
  async function readOn(): Promise<void> {
    reading = true;
    // Lets callers of the same turn join the first group.
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

/** The lowest id of one epoch; other epochs and invalid ids get a read of their own. */
function oldest(ids: readonly BusId[]): BusId {
  const [first = ""] = ids;
  if (!parseBusId(first)) return first;
  return ids.reduce((least, id) => (compareBusIds(id, least) < 0 ? id : least), first);
}

/** The part after `after` of a replay that begins at `first`; null when `after` is not in it. */
function partOf(replay: Replay, first: BusId, after: BusId): Replay | null {
  if (after === first) return replay;
  if ("reset" in replay) return null;
  const at = replay.batches.findIndex(({ id }) => id === after);
  return at < 0 ? null : { batches: replay.batches.slice(at + 1), position: replay.position };
}
