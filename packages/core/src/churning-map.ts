/** Minimum number of deletions before the remaining entries move, so that a move costs no more than one step per deletion. */
const LEAST_GONE = 256;

/**
 * A Map for thousands of short-lived entries, such as requests in flight. V8 links each table that a Map outgrows to its successor. Once
 * one table has been promoted to the old generation, every later one and all it ever held stay alive and are copied by each
 * young-generation collection until a full one, which made a gateway's collections ten times as expensive. This class moves the remaining
 * entries to a new Map before the chain grows long.
 *
 * Do not add or delete during iteration: an iterator continues over the Map it began with.
 */
export class ChurningMap<K, V> {
  #map: Map<K, V>;
  #gone = 0;

  constructor(entries: Iterable<readonly [K, V]> = []) {
    this.#map = new Map(entries);
  }

  get size(): number {
    return this.#map.size;
  }

  get(key: K): V | undefined {
    return this.#map.get(key);
  }

  has(key: K): boolean {
    return this.#map.has(key);
  }

  set(key: K, value: V): void {
    this.#map.set(key, value);
  }

  /** Returns whether it was present. */
  delete(key: K): boolean {
    if (!this.#map.delete(key)) return false;
    this.#gone += 1;
    if (this.#gone >= LEAST_GONE && this.#gone >= this.#map.size) this.#move();
    return true;
  }

  clear(): void {
    this.#map = new Map();
    this.#gone = 0;
  }

  keys(): MapIterator<K> {
    return this.#map.keys();
  }

  values(): MapIterator<V> {
    return this.#map.values();
  }

  [Symbol.iterator](): MapIterator<[K, V]> {
    return this.#map.entries();
  }

  #move(): void {
    const left = new Map<K, V>();
    for (const [key, value] of this.#map) left.set(key, value);
    this.#map = left;
    this.#gone = 0;
  }
}
