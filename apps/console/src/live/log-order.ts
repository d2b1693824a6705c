/**
 * The order of the log: request ids, newest first. A gap left by a reconnect is represented by `gap:<id>`, directly after the row it
 * follows.
 */
const GAP = "gap:";

export function isGap(item: string): boolean {
  return item.startsWith(GAP);
}

/** The gap after a row. */
export function gapAfter(id: string): string {
  return GAP + id;
}

/** The id that a gap follows, or the id itself. */
export function anchorOf(item: string): string {
  return isGap(item) ? item.slice(GAP.length) : item;
}

/** Descending by id; a gap comes right after its row. */
function compare(a: string, b: string): number {
  const x = anchorOf(a);
  const y = anchorOf(b);
  if (x !== y) return x < y ? 1 : -1;
  return Number(isGap(a)) - Number(isGap(b));
}

/** Merges new items (in any order, none of them known) into an order. */
export function insertInto(order: readonly string[], items: readonly string[]): string[] {
  const added = [...items].sort(compare);
  const first = order[0];
  const last = added.at(-1);
  if (first === undefined || last === undefined) return first === undefined ? added : [...order];
  if (compare(last, first) < 0) return [...added, ...order];
  const merged: string[] = [];
  let at = 0;
  for (const item of order) {
    for (let next = added[at]; next !== undefined && compare(next, item) < 0; next = added[at]) {
      merged.push(next);
      at += 1;
    }
    merged.push(item);
  }
  return merged.concat(added.slice(at));
}
