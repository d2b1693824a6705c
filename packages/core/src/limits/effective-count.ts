/**
 * The limit in force from the nearest owner outwards (key, then user, then group). 0, null, NaN, infinite and negative
 * values mean "inherit"; counts are floored; null = nothing limits.
 * (10, 15) → 10 · (0, 15) → 15 · (5.9, 15) → 5.
 */
export function effectiveCount(...levels: readonly (number | null | undefined)[]): number | null {
  for (const level of levels) {
    if (typeof level !== "number" || !Number.isFinite(level)) continue;
    const count = Math.floor(level);
    if (count > 0) return count;
  }
  return null;
}
