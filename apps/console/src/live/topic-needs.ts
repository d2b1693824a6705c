import { type Topic, topics } from "@sluice/core/events";

/**
 * The topics that the pages of all tabs of this browser need. Every tab announces its own needs and hears those of the others, so each
 * knows the union, and whichever leads requests exactly that. A topic that is no longer needed stays for a while: leaving a page and
 * returning finds everything current, and reopens no stream.
 */
export interface TopicNeeds {
  /** Registers the needs of a page until the returned function is called. */
  need(wanted: readonly Topic[]): () => void;
  /** Topics that this tab's pages need now. */
  own(): Topic[];
  /** The needs of another tab, replacing its earlier ones; empty = it closed, or sleeps. */
  heard(tab: string, needed: readonly Topic[]): void;
  /** This tab leads now: other tabs are asked again, since some may be gone without notice. */
  forgetOthers(): void;
  /** The needs of all tabs, including recent ones; sorted. */
  wanted(): Topic[];
}

export interface TopicNeedsOptions {
  /** Called when this tab's needs change. */
  onOwn(): void;
  /** Called when the union changes. */
  onWanted(): void;
  /** Calls back after `ms`; returns the cancellation. */
  after?(ms: number, run: () => void): () => void;
}

/** How long a topic that nobody needs is still followed. */
export const KEPT_MS = 60_000;

export function createTopicNeeds({ onOwn, onWanted, after = afterTimeout }: TopicNeedsOptions): TopicNeeds {
  const counts = new Map<Topic, number>();
  let others = new Map<string, readonly Topic[]>();
  const wanted = new Set<Topic>();
  const ending = new Map<Topic, () => void>();

  function own(): Topic[] {
    return topics.filter((topic) => counts.has(topic));
  }

  function look(): void {
    const needed = new Set<Topic>([...own(), ...[...others.values()].flat()]);
    let changed = false;
    for (const topic of topics) {
      if (needed.has(topic)) {
        ending.get(topic)?.();
        ending.delete(topic);
        changed ||= !wanted.has(topic);
        wanted.add(topic);
      } else if (wanted.has(topic) && !ending.has(topic))
        ending.set(
          topic,
          after(KEPT_MS, () => drop(topic)),
        );
    }
    if (changed) onWanted();
  }

  function drop(topic: Topic): void {
    ending.delete(topic);
    wanted.delete(topic);
    onWanted();
  }

  function count(topic: Topic, by: number): void {
    const next = (counts.get(topic) ?? 0) + by;
    if (next > 0) counts.set(topic, next);
    else counts.delete(topic);
  }

  function change(needed: readonly Topic[], by: number): void {
    const before = own().join();
    for (const topic of needed) count(topic, by);
    if (own().join() === before) return;
    look();
    onOwn();
  }

  return {
    need(needed) {
      change(needed, 1);
      let ended = false;
      return () => {
        if (!ended) change(needed, -1);
        ended = true;
      };
    },
    own,
    heard(tab, needed) {
      if (needed.length > 0) others.set(tab, needed);
      else others.delete(tab);
      look();
    },
    forgetOthers() {
      others = new Map();
      look();
    },
    wanted: () => topics.filter((topic) => wanted.has(topic)),
  };
}

function afterTimeout(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
}
