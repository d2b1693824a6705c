import { useRef, useState } from "react";
import type { BoardRow } from "../../live/session-board.ts";

interface HeldRows {
  rows: readonly BoardRow[];
  /** Sessions that began meanwhile and are not shown yet. */
  arrived: number;
  /** Shows them. */
  release(): void;
  /** For the element that holds the rows: while it is pointed at, nothing in it changes its place. */
  handlers: { onPointerEnter(): void; onPointerLeave(): void };
}

/**
 * The rows as they are, but while the reader points at them in the order they had: changes show in place, new ones wait
 * above and those that leave stay, ended. A finger does not point: it presses and is gone.
 */
export function useHeldRows(rows: readonly BoardRow[]): HeldRows {
  const held = useRef<Map<string, BoardRow> | null>(null);
  const latest = useRef(rows);
  latest.current = rows;
  const [, again] = useState(0);
  const hold = (): void => {
    held.current = new Map(latest.current.map((one) => [one.row.id, one]));
    again((count) => count + 1);
  };
  const handlers = {
    onPointerEnter: hold,
    onPointerLeave() {
      held.current = null;
      again((count) => count + 1);
    },
  };
  if (!held.current) return { rows, arrived: 0, release: hold, handlers };
  const now = new Map(rows.map((one) => [one.row.id, one]));
  for (const [id, old] of held.current) {
    held.current.set(
      id,
      now.get(id) ?? (old.endedAtMs === null ? { row: { ...old.row, inFlight: 0 }, endedAtMs: old.row.lastActivityAtMs } : old),
    );
  }
  const arrived = rows.filter(({ row }) => !held.current?.has(row.id)).length;
  return { rows: [...held.current.values()], arrived, release: hold, handlers };
}
