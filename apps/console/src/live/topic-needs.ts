import { type Topic, topics } from "@sluice/core/events";

/**
 * Which topics the pages of all tabs of this browser need. Every tab says what its own need, and hears what the others say; each
 * knows the whole, so that whichever leads asks the server for that and no more. A topic that nobody needs any more stays for a
 * while: who goes to another page and back finds everything as it was, and no stream is opened anew for it.
 */
export interface TopicNeeds {
  /** A page of this tab needs them until it calls what is returned. */
  need(wanted: readonly Topic[]): () => void;
  /** What this tab's pages need now. */
  own(): Topic[];
  /** What another tab's pages need, instead of what it said before; none = it closed, or sleeps. */
  heard(tab: string, needed: readonly Topic[]): void;
  /** This tab leads now: what others said is asked for again, for some may be gone without a word. */
  forgetOthers(): void;
  /** Of all tabs, with what was needed a moment ago; sorted. */
  wanted(): Topic[];
}

export interface TopicNeedsOptions {
  /** This tab's own changed. */
  onOwn(): void;
  /** The whole changed. */
  onWanted(): void;
  /** Calls back after so many ms; returns the cancellation. */
  after?(ms: number, run: () => void): () => void;
}

/** How long a topic is followed for nobody. */
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
