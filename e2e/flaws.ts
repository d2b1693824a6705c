import { type Page, test } from "@playwright/test";
import axe from "axe-core";

const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/**
 * What axe finds on the page as it is now (or in one part of it), and whether it scrolls sideways. A picture of it is kept with the
 * results of the test.
 */
export async function flaws(page: Page, what: string, part = "html"): Promise<string[]> {
  // A tab behind another one draws nothing, and no picture of it is ever ready.
  await page.bringToFront();
  // A message that comes or goes while axe looks is half there: without motion it is there or not.
  await page.emulateMedia({ reducedMotion: "reduce" });
  await page.evaluate(motionOver);
  const violations = await violationsIn(page, part);
  await page.screenshot({ path: test.info().outputPath(`${what.replace(/^\//, "").replaceAll("/", "-")}.png`), animations: "disabled" });
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  return [
    ...violations.map(({ id, nodes }) => `${what}: ${id}: ${nodes.map(({ html }) => html.slice(0, 300)).join(" | ")}`),
    ...(overflow > 0 ? [`${what}: scrolls sideways by ${overflow} px`] : []),
  ];
}

/** Asks axe within the page, which has no frames; it is put there once a document, however often it is asked. */
async function violationsIn(page: Page, part: string): Promise<axe.Result[]> {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe.source);
  return page.evaluate(
    ([selector, runOnly]) =>
      (window as unknown as { axe: typeof axe }).axe
        .run({ include: [[selector]] }, { runOnly, resultTypes: ["violations"] })
        .then(({ violations }) => violations),
    [part, tags] as const,
  );
}

/** Half of a transition has no contrast: what comes or goes has come or gone. What turns for ever is not waited for. */
async function motionOver(): Promise<void> {
  const ending = document.getAnimations().filter(({ effect }) => Number.isFinite(effect?.getComputedTiming().endTime));
  await Promise.allSettled(ending.map(({ finished }) => finished));
}

/** The same on a phone and on a wide screen. */
export async function flawsAtWidths(page: Page, what: string): Promise<string[]> {
  const found: string[] = [];
  for (const width of [390, 1440]) {
    await page.setViewportSize({ width, height: 900 });
    found.push(...(await flaws(page, `${what}-${width}`)));
  }
  return found;
}
