/** Pages by the first part of their path; all others are reported as `other`. */
export const measuredPages = [
  ...["overview", "logs", "sessions", "keys", "users", "providers", "prices", "credits", "settings", "system", "audit", "errors"],
  ...["statistics", "leaderboard", "compare", "availability", "alerts", "other"],
] as const;

/**
 * Browser measurements, ms: `ttfb` and `paint` of a load (first byte, first contentful paint), `render` from leaving a page until the
 * next one is painted.
 */
export const vitalNames = ["ttfb", "paint", "render"] as const;

export interface Vital {
  name: (typeof vitalNames)[number];
  page: string;
  ms: number;
}

/** Maximum number in one report. */
export const MOST_VITALS = 20;
