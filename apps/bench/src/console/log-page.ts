import type { Page } from "@playwright/test";

const table = '[role="table"][aria-label="Requests"]';

/** Opens the log and waits until it is live. */
export async function openLog(page: Page, search = ""): Promise<void> {
  await page.goto(`/logs${search}`);
  await isLive(page);
}

/** Waits until the indicator shows "Live". */
export async function isLive(page: Page): Promise<void> {
  await page
    .getByRole("status", { name: "Live state" })
    .filter({ hasText: /^Live$/ })
    .waitFor({ timeout: 60_000 });
}

/** Scrolls a few rows away from the top, where the visible rows must no longer move. */
export async function scrollAway(page: Page): Promise<void> {
  await page.locator(table).hover();
  await page.mouse.wheel(0, 400);
  await page.getByRole("status", { name: "Live state" }).filter({ hasText: "Holding" }).waitFor();
}

/** How many px the row in the middle of the table moves within `ms`; infinite when it leaves the table. */
export function anchorDrift(page: Page, ms: number): Promise<number> {
  return page.evaluate(
    async ([selector, span]) => {
      const box = document.querySelector(selector)?.getBoundingClientRect();
      const row = document.elementFromPoint((box?.x ?? 0) + 200, (box?.y ?? 0) + (box?.height ?? 0) / 2)?.closest("[data-id]");
      const id = row?.getAttribute("data-id");
      const top = row?.getBoundingClientRect().top;
      if (!id || top === undefined) return Number.POSITIVE_INFINITY;
      let most = 0;
      const until = performance.now() + span;
      while (performance.now() < until) {
        await new Promise(requestAnimationFrame);
        const now = document.querySelector(`[data-id="${id}"]`)?.getBoundingClientRect().top;
        most = Math.max(most, now === undefined ? Number.POSITIVE_INFINITY : Math.abs(now - top));
      }
      return most;
    },
    [table, ms] as const,
  );
}

/** Records when each row is first seen to be finished; `endsSeen` returns wall times by id. */
export function watchEnds(page: Page): Promise<void> {
  return page.evaluate((selector) => {
    const seen = new Map<string, number>();
    const look = (): void => {
      for (const row of document.querySelectorAll("[data-id]")) {
        const id = row.getAttribute("data-id") ?? "";
        if (!seen.has(id) && /Done|Error/.test(row.textContent ?? "")) seen.set(id, Date.now());
      }
    };
    look();
    new MutationObserver(look).observe(document.querySelector(selector) ?? document.body, {
      subtree: true,
      childList: true,
      characterData: true,
    });
    Object.assign(window, { benchEnds: seen });
  }, table);
}

export async function endsSeen(page: Page): Promise<Map<string, number>> {
  return new Map(await page.evaluate(() => [...(window as unknown as { benchEnds: Map<string, number> }).benchEnds]));
}

/** Every id in the table, read by scrolling through it; an id that appears on two rows is returned twice. */
export function readThrough(page: Page): Promise<string[]> {
  return page.evaluate(async (selector) => {
    const at = new Map<string, string>();
    const scroller = [...document.querySelectorAll(`${selector}, ${selector} *`)].find((one) => {
      return one.scrollHeight > one.clientHeight + 40 && /auto|scroll/.test(getComputedStyle(one).overflowY);
    });
    if (!scroller) throw new Error("the table does not scroll");
    const frames = async (): Promise<void> => {
      for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame);
    };
    const collect = (): void => {
      for (const row of document.querySelectorAll("[data-id]"))
        at.set(`${row.getAttribute("aria-rowindex")}`, row.getAttribute("data-id") ?? "");
    };
    scroller.scrollTop = 0;
    for (let before = -1; before !== scroller.scrollTop; ) {
      before = scroller.scrollTop;
      await frames();
      collect();
      scroller.scrollTop += scroller.clientHeight * 0.7;
    }
    return [...at.values()];
  }, table);
}

/** Clicks on the table under traffic; true when the drawer shows the row that was under the pointer. */
export async function clickOpens(page: Page, at: { x: number; y: number }): Promise<boolean> {
  await page.evaluate(() => {
    const note = (event: PointerEvent): void => {
      const row = event.target instanceof Element ? event.target.closest("[data-id]") : null;
      Object.assign(window, { benchPressed: row?.getAttribute("data-id") ?? "" });
    };
    window.addEventListener("pointerdown", note, { capture: true, once: true });
  });
  await page.mouse.move(at.x, at.y);
  await page.mouse.down();
  await page.mouse.up();
  const pressed = await page.evaluate(() => (window as unknown as { benchPressed: string }).benchPressed);
  const opened = await page
    .waitForURL(/[?&]log=/, { timeout: 3_000 })
    .then(() => new URL(page.url()).searchParams.get("log"))
    .catch(() => null);
  await page.keyboard.press("Escape");
  await page.waitForURL((url) => !url.searchParams.has("log"), { timeout: 3_000 }).catch(() => undefined);
  return pressed !== "" && pressed === opened;
}

/** A place with rows: the middle of the table's first rows. */
export async function rowPlace(page: Page, nth: number): Promise<{ x: number; y: number }> {
  const box = await page.locator(table).boundingBox();
  return { x: (box?.x ?? 0) + 30, y: (box?.y ?? 0) + 60 + 36 * (nth % 12) };
}
