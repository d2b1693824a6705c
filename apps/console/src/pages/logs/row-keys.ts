/**
 * Which element of the table a row is drawn in. A row that stays keeps its own, so that nothing of it is lost. When most of the rows
 * are new at once, as they are ten times a second under load, they are written into the elements that stand at their places: that
 * costs a browser a fraction of taking elements away and making others, and no element changes its place in the document.
 */
export class RowKeys {
  #ids: readonly string[] = [];
  #keys: readonly number[] = [];
  #made = 0;

  /** Keys of the elements of these rows, in their order. `focused` keeps its own, and what is before it stays before it. */
  of(ids: readonly string[], focused: string | undefined): readonly number[] {
    const known = new Map(this.#ids.map((id, index) => [id, this.#keys[index]]));
    const staying = ids.filter((id) => known.has(id)).length;
    const places = staying < ids.length / 2 ? this.#places(ids, focused) : ids.map((id) => known.get(id));
    this.#keys = places.map((key) => key ?? ++this.#made);
    this.#ids = ids;
    return this.#keys;
  }

  /** The element at each place; undefined where there is none. */
  #places(ids: readonly string[], focused = ""): (number | undefined)[] {
    const was = this.#ids.indexOf(focused);
    const is = was < 0 ? -1 : ids.indexOf(focused);
    if (is < 0) return ids.map((_, index) => this.#keys[index]);
    const before = this.#keys.slice(0, was);
    return ids.map((_, index) => (index < is ? before[index] : this.#keys[was + index - is]));
  }
}
