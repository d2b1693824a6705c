import { type Page, test } from "@playwright/test";
import axe from "axe-core";

const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/**
 * Accessibility violations that axe finds on the page (or in one part of it), and whether it scrolls sideways. Stores a screenshot with
 * the results of the test.
 */
export async function flaws(page: Page, what: string, part = "html"): Promise<string[]> {
  // A background tab does not render, so a screenshot of it would never finish.
  await page.bringToFront();
  // A toast that appears or disappears while axe runs would be half transparent; without motion it is either there or not.
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

/** Runs axe inside the page, which has no frames; injected once per document. */
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

/** Waits for running animations, because a half-finished transition has too little contrast. Infinite ones are not awaited. */
async function motionOver(): Promise<void> {
  const ending = document.getAnimations().filter(({ effect }) => Number.isFinite(effect?.getComputedTiming().endTime));
  await Promise.allSettled(ending.map(({ finished }) => finished));
}

/** The same at the widths of a phone and of a wide screen. */
export async function flawsAtWidths(page: Page, what: string): Promise<string[]> {
  const found: string[] = [];
  for (const width of [390, 1440]) {
    await page.setViewportSize({ width, height: 900 });
    found.push(...(await flaws(page, `${what}-${width}`)));
  }
  return found;
}
