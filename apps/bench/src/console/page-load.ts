import type { Page } from "@playwright/test";
import { isLive } from "./log-page.ts";
import type { Stage } from "./stage.ts";

/** What a visitor on a slow line and a slow phone waits for. */
export interface PageLoad {
  lcpMs: number;
  /** When the log shows its first row, to about 50 ms: what one came for, which is too small to be the largest of the paints. */
  firstRowMs: number;
  /** The longest interaction. */
  inpMs: number;
}

/** Lighthouse's slow 4G and its CPU slowdown, applied by the browser. */
const line = { offline: false, latency: 150, downloadThroughput: (1.6 * 1_000_000) / 8, uploadThroughput: (0.75 * 1_000_000) / 8 };
const CPU_SLOWDOWN = 4;

interface Vitals {
  lcpMs: number;
  inpMs: number;
}

declare global {
  interface Window {
    benchVitals?: Vitals;
  }
}

function observeVitals(): void {
  const vitals: Vitals = { lcpMs: 0, inpMs: 0 };
  window.benchVitals = vitals;
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

const vitals = (page: Page): Promise<Vitals> => page.evaluate(() => window.benchVitals ?? { lcpMs: 0, inpMs: 0 });

/** The log's first visit, then what one does there: open a request, go down, close, filter, another page and back. */
export async function measureLoad(stage: Stage): Promise<PageLoad> {
  const { page, context } = await stage.openPage();
  try {
    const cdp = await context.newCDPSession(page);
    await cdp.send("Network.enable");
    await cdp.send("Network.emulateNetworkConditions", line);
    await cdp.send("Emulation.setCPUThrottlingRate", { rate: CPU_SLOWDOWN });
    await page.addInitScript(observeVitals);
    await page.goto("/logs");
    await page.locator("[data-id]").first().waitFor({ timeout: 60_000 });
    const firstRowMs = await page.evaluate(() => performance.now());
    await isLive(page);
    // Anything larger would have been drawn by now; the first interaction ends the measurement.
    await page.waitForLoadState("load");
    const { lcpMs } = await vitals(page);
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
