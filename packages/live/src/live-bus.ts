import type { BusId, LiveEvent, LiveFrame } from "@sluice/core/events";
import type { RequestRow } from "@sluice/core/requests";
import type { Bus } from "./contract.ts";

/** Events that were published together; the unit of resumption. At most MAX_BATCH_EVENTS, never mutated. */
export interface Batch {
  id: BusId;
  events: readonly LiveEvent[];
}

export type ResetReason = NonNullable<LiveFrame["reset"]>;

/** The one listener of a process: receives every batch after `started`, in order and exactly once, or a reset. */
export interface BusListener {
  /** The position from which batches follow; called once, immediately if the bus is followed already. */
  started(position: BusId): void;
  batch(batch: Batch): void;
  /** What followed the last batch is no longer available; continues after `position`. */
  reset(reason: ResetReason, position: BusId): void;
}

export type Replay = { batches: Batch[]; position: BusId } | { reset: ResetReason; position: BusId };

/** What the rest of this package needs from a bus besides publishing. */
export interface LiveBus extends Bus {
  /** Registers at once; the returned function unregisters. When the last listener leaves, the subscription ends. */
  listen(listener: BusListener): () => void;
  /** Everything after an id, or the reason why not. @throws when Redis is unavailable. */
  replay(after: BusId): Promise<Replay>;
  /**
   * Called right before each batch is sent, because what the events refer to must be readable before they are. `jsonOf` need not write
   * the rows of the batch again.
   */
  beforeSend(hook: (jsonOf: (row: RequestRow) => string) => void): void;
}

/** How long events wait to be sent together. */
export const BATCH_MS = 20;
export const MAX_BATCH_EVENTS = 100;
/** A longer replay costs more than a refetch, so it is answered with `too_old`. */
export const MAX_REPLAY_EVENTS = 20_000;
