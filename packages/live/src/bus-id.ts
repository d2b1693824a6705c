import { randomBytes } from "node:crypto";
import type { BusId } from "@sluice/core/events";

/** A parsed bus id: `epoch:ms-seq`. */
export interface ParsedBusId {
  epoch: string;
  ms: number;
  seq: number;
}

/** Belongs to no epoch, so a subscription from here is reset. Returned by `position` when it cannot know. */
export const NOWHERE: BusId = "0:0-0";

const pattern = /^([0-9a-z]{1,32}):(\d{1,15})-(\d{1,15})$/;

/** Null for anything that is not a bus id, since it comes from a client. */
export function parseBusId(id: string): ParsedBusId | null {
  const match = pattern.exec(id);
  if (!match) return null;
  return { epoch: match[1] ?? "", ms: Number(match[2]), seq: Number(match[3]) };
}

/** Compares two ids of one epoch as numbers (as text, 9-0 would be above 10-0). NaN when the epochs differ. */
export function compareBusIds(a: BusId, b: BusId): number {
  const left = parseBusId(a);
  const right = parseBusId(b);
  if (!left || !right || left.epoch !== right.epoch) return Number.NaN;
  return left.ms - right.ms || left.seq - right.seq;
}

/** A name for a history without holes; never reused. */
export function newEpoch(): string {
  return randomBytes(8).toString("hex");
}
