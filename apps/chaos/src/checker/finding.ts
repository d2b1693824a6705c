/** What one invariant came to. */
export interface Finding {
  /** I1 … I11 of the reference. */
  invariant: string;
  /** What was looked at: requests, keys of sums, rows. */
  checked: number;
  of: string;
  violations: number;
  /** The first of them. */
  examples: string[];
}

const SHOWN = 5;

/** A finding from what was looked at and what was wrong with it. */
export function findingOf(invariant: string, checked: number, of: string, wrong: readonly string[]): Finding {
  return { invariant, checked, of, violations: wrong.length, examples: wrong.slice(0, SHOWN) };
}
