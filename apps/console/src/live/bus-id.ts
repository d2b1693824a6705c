import type { BusId } from "@sluice/core/events";

interface Parts {
  epoch: string;
  ms: number;
  seq: number;
}

function parse(id: BusId): Parts | null {
  const match = /^(.*):(\d+)-(\d+)$/.exec(id);
  return match ? { epoch: match[1] ?? "", ms: Number(match[2]), seq: Number(match[3]) } : null;
}

/** Whether everything after `position` is also after `since`, so that a stream read from `since` misses none of it. */
export function covers(since: BusId, position: BusId): boolean {
  const a = parse(since);
  const b = parse(position);
  if (!a || !b) return since === position;
  if (a.epoch !== b.epoch) return false;
  return b.ms > a.ms || (b.ms === a.ms && b.seq >= a.seq);
}

/** Time of the position in ms since the epoch; null if it has none. */
export function timeOf(position: BusId): number | null {
  return parse(position)?.ms ?? null;
}
