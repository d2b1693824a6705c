import { useRef, useState } from "react";
import type { BoardRow } from "../../live/session-board.ts";

interface HeldRows {
  rows: readonly BoardRow[];
  /** Sessions that began meanwhile and are not shown yet. */
  arrived: number;
  /** Shows the new sessions. */
  release(): void;
  /** For the element that contains the rows: nothing in it moves while the pointer is over it. */
  handlers: { onPointerEnter(): void; onPointerLeave(): void };
}

/**
 * The rows, with their order frozen while the pointer is over them: changes show in place, new ones wait above, and ended ones stay.
 * Touch does not freeze anything.
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
