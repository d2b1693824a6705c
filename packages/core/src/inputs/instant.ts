import { z } from "zod";
import { LATEST_MS } from "../time-zone.ts";

/** ms since the epoch; a larger value is most likely in another unit. */
export const instantField = z.int().nonnegative().max(LATEST_MS).meta({ description: "Milliseconds since 1970-01-01T00:00:00Z." });
