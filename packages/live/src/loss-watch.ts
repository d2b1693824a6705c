import type { Presence } from "./presence.ts";

/** Added to the moment at which a beat is overdue, since clocks and timers are not exact. */
const MARGIN_MS = 100;
const RETRY_MS = 2_000;

/**
 * Detects that an instance fell silent, while there are viewers. It checks again when the next beat would be overdue. When no
 * instance owns anything it does not wait at all, until an event arrives.
 */
export interface LossWatch {
  /** Viewers are present from now on. */
  begin(): void;
  /** An event arrived, so some instance is alive. */
  heard(): void;
  /** The last viewer left. */
  end(): void;
}

/**
 * `onLost` informs everyone; it is called again later if it fails. Several processes may detect the same loss, but they
 * report the same.
 */
export function createLossWatch(presence: Presence, onLost: (lives: readonly string[]) => Promise<void>): LossWatch {
  let watching = false;
  let timer: NodeJS.Timeout | null = null;
  let looking = false;
  let heardMeanwhile = false;

  function arm(ms: number): void {
    if (watching && !looking) timer ??= setTimeout(() => void look(), ms);
  }

  async function look(): Promise<void> {
    timer = null;
    looking = true;
    heardMeanwhile = false;
    let nextMs: number | null = RETRY_MS;
    try {
      const census = await presence.census();
      if (census.newlyDead.length > 0) {
        await onLost(census.newlyDead);
        await presence.mourned(census.newlyDead);
      }
      nextMs = census.nextMs;
    } catch {
      // Redis is unavailable: retries soon.
    }
    looking = false;
    if (nextMs !== null || heardMeanwhile) arm((nextMs ?? presence.ttlMs) + MARGIN_MS);
  }

  return {
    begin() {
      watching = true;
      arm(0);
    },
    heard() {
      heardMeanwhile = true;
      arm(presence.ttlMs + MARGIN_MS);
    },
    end() {
      watching = false;
      if (timer) clearTimeout(timer);
      timer = null;
    },
  };
}
