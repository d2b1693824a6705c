import type { Page } from "@playwright/test";

/** Smoothness over a period. */
export interface Smoothness {
  frameMs: number[];
  longTasks: number;
}

interface Watch extends Smoothness {
  stop(): void;
}

declare global {
  interface Window {
    benchWatch?: Watch;
  }
}

/** Starts recording frame times, and tasks longer than 50 ms. */
export function watchFrames(page: Page): Promise<void> {
  return page.evaluate(() => {
    let last = performance.now();
    let on = true;
    const watch: Watch = { frameMs: [], longTasks: 0, stop: () => undefined };
    const frame = (now: number): void => {
      watch.frameMs.push(now - last);
      last = now;
      if (on) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
    const observer = new PerformanceObserver((list) => {
      watch.longTasks += list.getEntries().length;
    });
    observer.observe({ type: "longtask" });
    watch.stop = () => {
      on = false;
      observer.disconnect();
    };
    window.benchWatch = watch;
  });
}

export function smoothness(page: Page): Promise<Smoothness> {
  return page.evaluate(() => {
    window.benchWatch?.stop();
    const { frameMs = [], longTasks = 0 } = window.benchWatch ?? {};
    return { frameMs: frameMs.slice(1), longTasks };
  });
}
