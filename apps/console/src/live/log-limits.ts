/** How much of the log one reader's browser holds. */

/** New rows that wait while the reader is elsewhere; what is older leaves a gap. */
export const HELD_MAX = 1_000;

/** Rows kept while following at the top. */
export const WINDOW_MAX = 5_000;

/** Rows read while scrolling back; further back the reader goes on with a fresh list. */
export const SCROLLBACK_MAX = 50_000;

/** ms that a row which left the filter stays dimmed, so that the eye can follow. */
export const LEAVE_MS = 700;

/** New rows a second beyond which a busy log shows its sample alone, for so long. */
export const CROWD_MAX = 1_000;
export const CROWDED_MS = 5_000;
