import { z } from "zod";

/** Pages by the first part of their path; what is none of them is told as `other`. */
export const measuredPages = [
  ...["overview", "logs", "sessions", "keys", "users", "providers", "prices", "credits", "settings", "system", "audit"],
  ...["statistics", "leaderboard", "compare", "availability", "alerts", "portal", "login", "other"],
] as const;

/**
 * What a browser measured, ms: `ttfb` and `paint` of a load (first byte, first contentful paint), `render` from the click on another page
 * until it was painted.
 */
export const vitalNames = ["ttfb", "paint", "render"] as const;

export const ReportVitalsInput = z.strictObject({
  vitals: z
    .array(z.strictObject({ name: z.enum(vitalNames), page: z.enum(measuredPages), ms: z.number().min(0).max(600_000) }))
    .min(1)
    .max(20),
});

export type Vital = z.infer<typeof ReportVitalsInput>["vitals"][number];
