import { z } from "zod";

/**
 * ms since the epoch, to the end of the year 9999: later ones have no place in an id, are read back from PostgreSQL as no date
 * at all, and are most likely another unit.
 */
export const instantField = z
  .int()
  .nonnegative()
  .max(253_402_300_799_999)
  .meta({ description: "Milliseconds since 1970-01-01T00:00:00Z." });
