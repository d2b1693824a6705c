import type { Page } from "@playwright/test";
import { isLive } from "./log-page.ts";
import type { Stage } from "./stage.ts";

/** Waiting times of a visitor with a slow network and a slow phone. */
export interface PageLoad {
  lcpMs: number;
  /** When the first row of the log appears: what the visitor came for, though too small to be the largest paint. */
  firstRowMs: number;
  /** The slowest interaction. */
  inpMs: number;
}

/** Lighthouse's slow 4G and CPU slowdown, emulated by the browser. */
const line = { offline: false, latency: 150, downloadThroughput: (1.6 * 1_000_000) / 8, uploadThroughput: (0.75 * 1_000_000) / 8 };
const CPU_SLOWDOWN = 4;

interface Vitals extends PageLoad {
  /** Resolves when the first row appears. */
  firstRow: Promise<void>;
}

declare global {
  interface Window {
    benchVitals?: Vitals;
  }
}

/**
 * Runs in the page before anything else and observes while it loads. An observer from outside would inject code, which the slow phone
 * would have to run as well.
 */
function observeVitals(): void {
  const { promise, resolve } = Promise.withResolvers<void>();
  const vitals: Vitals = { lcpMs: 0, firstRowMs: 0, inpMs: 0, firstRow: promise };
  window.benchVitals = vitals;
  new MutationObserver((_, observer) => {
    if (!document.querySelector("[data-id]")) return;
    vitals.firstRowMs = performance.now();
    observer.disconnect();
    resolve();
  }).observe(document, { subtree: true, childList: true });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) vitals.lcpMs = Math.max(vitals.lcpMs, entry.startTime);
  }).observe({ type: "largest-contentful-paint", buffered: true });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { interactionId = 0 } = entry as PerformanceEntry & { interactionId?: number };
      if (interactionId > 0) vitals.inpMs = Math.max(vitals.inpMs, entry.duration);
    }
  }).observe({ type: "event", durationThreshold: 16, buffered: true } as PerformanceObserverInit);
}

const vitals = (page: Page): Promise<PageLoad> =>
  page.evaluate(() => {
    const { lcpMs = 0, firstRowMs = 0, inpMs = 0 } = window.benchVitals ?? {};
    return { lcpMs, firstRowMs, inpMs };
  });

/** A first visit to the log and typical actions: open a request, move down, close, filter, another page and back. */
export async function measureLoad(stage: Stage): Promise<PageLoad> {
  const { page, context } = await stage.openPage();
  try {
    const cdp = await context.newCDPSession(page);
    await cdp.send("Network.enable");
    await cdp.send("Network.emulateNetworkConditions", line);
    await cdp.send("Emulation.setCPUThrottlingRate", { rate: CPU_SLOWDOWN });
    await page.addInitScript(observeVitals);
    await page.goto("/logs");
    await page.evaluate(() => window.benchVitals?.firstRow);
    await isLive(page);
    // Anything larger would have been painted by now; the first interaction ends the LCP measurement.
    await page.waitForLoadState("load");
    const { lcpMs, firstRowMs } = await vitals(page);
    await page.locator("[data-id]").nth(3).click();
    await page.waitForURL(/log=/);
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Control+k");
    await page.getByRole("dialog").getByRole("combobox").fill("key");
    await page.keyboard.press("Escape");
    await page.getByRole("link", { name: "Keys" }).first().click();
    await page.getByRole("heading", { level: 1, name: "Keys" }).waitFor();
    await page.getByRole("link", { name: "Logs" }).first().click();
    await page.locator("[data-id]").first().waitFor();
    return { lcpMs, firstRowMs, inpMs: (await vitals(page)).inpMs };
  } finally {
    await context.close();
  }
}
