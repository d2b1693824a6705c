/** At least so many have gone before the rest moves: then moving costs less than a step for each that went. */
const LEAST_GONE = 256;

/**
 * A Map for what comes and goes by the thousand, such as requests in flight. V8 chains each table that a Map outgrows to its next one; once a
 * table has become old, every later one, with all that was ever in it, is kept and copied by each collection of young garbage until a full one
 * comes. A gateway's collections then cost ten times as much. Here what is left moves to a new Map before the chain becomes long.
 *
 * Iterate without adding or deleting: an iterator goes on over the Map it began with.
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

  /** Whether it was there. */
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
