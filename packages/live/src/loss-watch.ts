import type { Presence } from "./presence.ts";

/** After the moment a beat is overdue: clocks and timers are not that exact. */
const MARGIN_MS = 100;
const RETRY_MS = 2_000;

/**
 * Notices that an instance fell silent, while somebody views. It waits for the moment at which the next beat would be
 * overdue and looks again then; when no instance owns anything it does not wait at all, until something happens.
 */
export interface LossWatch {
  /** Somebody views from now on. */
  begin(): void;
  /** Something happened: some instance is alive. */
  heard(): void;
  /** Nobody views any more. */
  end(): void;
}

/**
 * `onLost` tells everybody; it is called again later when it fails. Several processes may notice the same loss: what
 * they tell is the same.
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
      // Redis is away: soon again.
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
