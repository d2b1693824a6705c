/**
 * The first of the given values that limits anything. 0, null, NaN, infinite and negative values do not limit; counts are
 * floored; null = no limit. (10, 15) → 10 · (0, 15) → 15 · (5.9, 15) → 5.
 */
export function effectiveCount(...levels: readonly (number | null | undefined)[]): number | null {
  for (const level of levels) {
    if (typeof level !== "number" || !Number.isFinite(level)) continue;
    const count = Math.floor(level);
    if (count > 0) return count;
  }
  return null;
}
