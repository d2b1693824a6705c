import type { BusId, Topic } from "@sluice/core/events";
import { covers } from "./bus-id.ts";

/** A topic, or what is too rare to be of one and comes to everybody. */
type Strand = Topic | "rest";

/**
 * From which position on this tab has heard everything, for each topic by itself: a stream is asked for some of them, and for
 * others later. Whether a list that was read leaves a hole before what is heard is a question to this.
 */
export class Followed {
  #since = new Map<Strand, BusId>();
  #waiters = new Set<() => void>();

  /** These topics, and no others, are heard from `position` on; those that were before go on. Topics that are not heard any more. */
  follow(topics: readonly Topic[], position: BusId): Topic[] {
    const heard: Strand[] = ["rest", ...topics];
    const lapsed = [...this.#since.keys()].filter((strand): strand is Topic => !heard.includes(strand));
    for (const strand of lapsed) this.#since.delete(strand);
    for (const strand of heard) if (!this.#since.has(strand)) this.#since.set(strand, position);
    for (const wake of [...this.#waiters]) wake();
    return lapsed;
  }

  /** There is a hole: what was heard until now counts for nothing. */
  clear(): void {
    this.#since.clear();
  }

  /** Waits until all of them are heard. Whether nothing of them is missing after `position`. */
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
