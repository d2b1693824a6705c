/** The result for one invariant. */
export interface Finding {
  /** I1 to I11 of the reference. */
  invariant: string;
  /** Number of things checked: requests, keys of sums, rows. */
  checked: number;
  of: string;
  violations: number;
  /** The first few violations. */
  examples: string[];
}

const SHOWN = 5;

/** A finding from the number of things checked and the violations found. */
export function findingOf(invariant: string, checked: number, of: string, wrong: readonly string[]): Finding {
  return { invariant, checked, of, violations: wrong.length, examples: wrong.slice(0, SHOWN) };
}
