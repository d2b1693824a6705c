/**
 * Which element of the table renders a row. Rows that stay keep their elements and so their state. When most rows are new at once, as
 * happens ten times a second under load, the elements at their places are reused: that costs a fraction of removing and creating
 * elements, and no element moves in the document.
 */
export class RowKeys {
  #ids: readonly string[] = [];
  #keys: readonly number[] = [];
  #made = 0;

  /** Keys of these rows' elements, in order. The `focused` row keeps its element, and what is before it stays before it. */
  of(ids: readonly string[], focused: string | undefined): readonly number[] {
    const known = new Map(this.#ids.map((id, index) => [id, this.#keys[index]]));
    const staying = ids.filter((id) => known.has(id)).length;
    const places = staying < ids.length / 2 ? this.#places(ids, focused) : ids.map((id) => known.get(id));
    this.#keys = places.map((key) => key ?? ++this.#made);
    this.#ids = ids;
    return this.#keys;
  }

  /** The existing element for each place; undefined where there is none. */
  #places(ids: readonly string[], focused = ""): (number | undefined)[] {
    const was = this.#ids.indexOf(focused);
    const is = was < 0 ? -1 : ids.indexOf(focused);
    if (is < 0) return ids.map((_, index) => this.#keys[index]);
    const before = this.#keys.slice(0, was);
    return ids.map((_, index) => (index < is ? before[index] : this.#keys[was + index - is]));
  }
}
