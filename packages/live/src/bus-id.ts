import { randomBytes } from "node:crypto";
import type { BusId } from "@sluice/core/events";

/** A bus id taken apart: `epoch:ms-seq`. */
export interface ParsedBusId {
  epoch: string;
  ms: number;
  seq: number;
}

/** Belongs to no epoch: a subscription that starts here is told to reset. What `position` says when it cannot know. */
export const NOWHERE: BusId = "0:0-0";

const pattern = /^([0-9a-z]{1,32}):(\d{1,15})-(\d{1,15})$/;

/** Null for anything that is not a bus id: it came from a client. */
export function parseBusId(id: string): ParsedBusId | null {
  const match = pattern.exec(id);
  if (!match) return null;
  return { epoch: match[1] ?? "", ms: Number(match[2]), seq: Number(match[3]) };
}

/** Order of two ids of one epoch, by number (as text, 9-0 would be above 10-0). NaN when the epochs differ. */
export function compareBusIds(a: BusId, b: BusId): number {
  const left = parseBusId(a);
  const right = parseBusId(b);
  if (!left || !right || left.epoch !== right.epoch) return Number.NaN;
  return left.ms - right.ms || left.seq - right.seq;
}

/** A name for a history that has no holes; never reused. */
export function newEpoch(): string {
  return randomBytes(8).toString("hex");
}
