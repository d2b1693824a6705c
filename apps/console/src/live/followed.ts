import type { BusId, Topic } from "@sluice/core/events";
import { covers } from "./bus-id.ts";

/** A topic, or "rest" for rare events that everybody receives. */
type Strand = Topic | "rest";

/**
 * Per topic, the position since which this tab has received everything: a stream carries some topics, and others later. Decides whether
 * there is a gap between a list that was read and the events received.
 */
export class Followed {
  #since = new Map<Strand, BusId>();
  #waiters = new Set<() => void>();

  /** From `position` on exactly these topics are received; the ones received before continue. Returns the topics that lapsed. */
  follow(topics: readonly Topic[], position: BusId): Topic[] {
    const heard: Strand[] = ["rest", ...topics];
    const lapsed = [...this.#since.keys()].filter((strand): strand is Topic => !heard.includes(strand));
    for (const strand of lapsed) this.#since.delete(strand);
    for (const strand of heard) if (!this.#since.has(strand)) this.#since.set(strand, position);
    for (const wake of [...this.#waiters]) wake();
    return lapsed;
  }

  /** Call when there is a gap: nothing received so far counts. */
  clear(): void {
    this.#since.clear();
  }

  /** Waits until all topics are received. Returns whether none of their events after `position` is missing. */
  async covers(position: BusId, topics: readonly Topic[]): Promise<boolean> {
    const strands: Strand[] = ["rest", ...topics];
    while (strands.some((strand) => !this.#since.has(strand))) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waiters.delete(wake);
          resolve();
        };
        this.#waiters.add(wake);
      });
    }
    return strands.every((strand) => covers(this.#since.get(strand) ?? "", position));
  }
}
