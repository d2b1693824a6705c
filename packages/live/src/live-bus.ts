import type { BusId, LiveEvent, LiveFrame } from "@sluice/core/events";
import type { Bus } from "./contract.ts";

/** Events that were published together; the unit of resumption. At most MAX_BATCH_EVENTS, never mutated. */
export interface Batch {
  id: BusId;
  events: readonly LiveEvent[];
}

export type ResetReason = NonNullable<LiveFrame["reset"]>;

/** The one listener of a process: gets every batch after `started`, in order, each once, or a reset. */
export interface BusListener {
  /** The position from which batches follow; called once, at once if the bus follows already. */
  started(position: BusId): void;
  batch(batch: Batch): void;
  /** What followed the last batch cannot be had any more; goes on after `position`. */
  reset(reason: ResetReason, position: BusId): void;
}

export type Replay = { batches: Batch[]; position: BusId } | { reset: ResetReason; position: BusId };

/** What the rest of this room needs of a bus beyond publishing. */
export interface LiveBus extends Bus {
  /** Registers now; the returned function unregisters. The last one out ends the subscription. */
  listen(listener: BusListener): () => void;
  /** Everything after an id, or why not. @throws when Redis cannot be asked now. */
  replay(after: BusId): Promise<Replay>;
  /** Called right before each batch is sent: what the events speak of must be readable before they are. */
  beforeSend(hook: () => void): void;
}

/** Events wait this long for company. */
export const BATCH_MS = 20;
export const MAX_BATCH_EVENTS = 100;
/** A replay longer than this costs more than a refetch: it is answered with `too_old`. */
export const MAX_REPLAY_EVENTS = 20_000;
