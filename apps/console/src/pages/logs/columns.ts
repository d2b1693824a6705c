import { createStore } from "../../live/store.ts";

export type ColumnName =
  | "time"
  | "status"
  | "model"
  | "provider"
  | "user"
  | "key"
  | "group"
  | "session"
  | "client"
  | "dialect"
  | "attempts"
  | "tokens"
  | "speed"
  | "ttft"
  | "duration"
  | "cost";

interface Column {
  name: ColumnName;
  /** Grid track. */
  track: string;
  /** Minimum width of the track, in px. */
  least: number;
  numeric?: true;
  admin?: true;
  /** Shown by default in panes of at least this many px; absent = only on request. */
  from?: number;
}

const all: readonly Column[] = [
  { name: "time", track: "6.25rem", least: 100, from: 0 },
  { name: "status", track: "7rem", least: 112, from: 0 },
  { name: "model", track: "minmax(8rem, 2.2fr)", least: 128, from: 0 },
  { name: "provider", track: "minmax(6rem, 1.3fr)", least: 96, admin: true, from: 760 },
  { name: "user", track: "minmax(6rem, 1.2fr)", least: 96, admin: true, from: 900 },
  { name: "key", track: "minmax(5.5rem, 1.1fr)", least: 88, from: 1_060 },
  { name: "group", track: "minmax(5rem, 1fr)", least: 80 },
  { name: "session", track: "minmax(6rem, 1fr)", least: 96 },
  { name: "client", track: "minmax(7rem, 1.2fr)", least: 112 },
  { name: "dialect", track: "5.5rem", least: 88 },
  { name: "attempts", track: "4rem", least: 64, numeric: true },
  { name: "tokens", track: "minmax(6rem, 1fr)", least: 96, numeric: true, from: 0 },
  { name: "speed", track: "4.25rem", least: 68, numeric: true, from: 1_180 },
  { name: "ttft", track: "4.25rem", least: 68, numeric: true, from: 900 },
  { name: "duration", track: "4.5rem", least: 72, numeric: true, from: 0 },
  { name: "cost", track: "5.25rem", least: 84, numeric: true, from: 0 },
];

const GAP = 12;
const PADDING = 32;

/** The columns that the reader explicitly shows or hides; the others depend on the width of the pane. */
export type ColumnChoice = Partial<Record<ColumnName, boolean>>;

export interface Columns {
  shown: readonly { name: ColumnName; numeric: boolean }[];
  /** `grid-template-columns`. */
  template: string;
  /** Minimum width in px. */
  least: number;
}

/** The columns that a role may see, in order. */
export function columnsFor(admin: boolean): ColumnName[] {
  return all.filter((column) => admin || !column.admin).map(({ name }) => name);
}

const steps = [...new Set(all.flatMap(({ from }) => from ?? []))];

/** The largest breakpoint that a pane of this width has reached: panes of one step have the same columns. */
export function stepOf(width: number): number {
  return Math.max(0, ...steps.filter((step) => width >= step));
}

/** The columns of a pane with this width in px. */
export function columnsOf(choice: ColumnChoice, admin: boolean, width: number): Columns {
  const shown = all.filter(({ name, admin: only, from }) => (admin || !only) && (choice[name] ?? (from !== undefined && width >= from)));
  return {
    shown: shown.map(({ name, numeric }) => ({ name, numeric: numeric ?? false })),
    template: shown.map(({ track }) => track).join(" "),
    least: shown.reduce((sum, { least }) => sum + least + GAP, PADDING - GAP),
  };
}

const STORED = "sluice.logs.columns";

function stored(): ColumnChoice {
  try {
    const known = new Set<string>(all.map(({ name }) => name));
    const read = Object.entries(JSON.parse(localStorage.getItem(STORED) ?? "{}") as Record<string, unknown>);
    return Object.fromEntries(read.filter(([name, shown]) => known.has(name) && typeof shown === "boolean")) as ColumnChoice;
  } catch {
    return {};
  }
}

/** The reader's choice, remembered in this browser. */
export const columnChoice = createStore<ColumnChoice>(stored());

export function chooseColumns(choice: ColumnChoice): void {
  columnChoice.set(choice);
  try {
    localStorage.setItem(STORED, JSON.stringify(choice));
  } catch {
    // Storage may be unavailable: the choice then lasts for this visit.
  }
}
