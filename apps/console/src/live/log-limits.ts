/** How much of the log a reader's browser keeps. */

/** New rows that wait while the reader is elsewhere; older ones are dropped and leave a gap. */
export const HELD_MAX = 1_000;

/** Rows kept while following at the top. */
export const WINDOW_MAX = 5_000;

/** Rows read while scrolling back; beyond that the reader continues with a new list. */
export const SCROLLBACK_MAX = 50_000;

/** ms that a row which left the filter stays dimmed, so that the eye can follow. */
export const LEAVE_MS = 700;

/** New rows per second beyond which the log shows only its sample, and for how long. */
export const CROWD_MAX = 1_000;
export const CROWDED_MS = 5_000;
