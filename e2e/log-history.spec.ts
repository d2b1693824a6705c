import type { Page } from "@playwright/test";
import { asksForRows, expect, models, test } from "./fixtures.ts";
import { liveState, makeRequests, openLogs, rows, timeline } from "./log-page.ts";

const chart = (page: Page) => timeline(page).getByRole("img");

/** Drags over a part of the timeline; `from` and `to` are fractions of its width. */
async function drag(page: Page, from: number, to: number): Promise<void> {
  const box = await chart(page).boundingBox();
  if (!box) throw new Error("there is no timeline");
  const y = box.y + box.height / 2;
  await page.mouse.move(box.x + box.width * from, y);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * to, y, { steps: 5 });
  await page.mouse.up();
}

test("the timeline counts what is there and what is pushed, without asking again", async ({ adminPage: page, place, world }) => {
  await makeRequests(place, world, [models.plain, models.plain, models.failing]);
  await openLogs(page, world);
  await expect(chart(page)).toHaveAccessibleName(/^3 requests .*, of which 1 /);
  const asked: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  await makeRequests(place, world, [models.plain, models.failing]);
  await expect(chart(page)).toHaveAccessibleName(/^5 requests .*, of which 2 /);
  expect(asked.filter(asksForRows)).toEqual([]);
  await page.reload();
  await expect(chart(page)).toHaveAccessibleName(/^5 requests .*, of which 2 /);
  await page.getByRole("button", { name: "Show as table" }).click();
  const table = page.getByRole("table", { name: "Requests over time" });
  await expect(table.getByRole("columnheader", { name: "5xx" })).toBeVisible();
  await table
    .getByRole("button", { name: /^Zoom to/ })
    .first()
    .click();
  await expect(liveState(page)).toHaveText("History");
});

test("dragging over the timeline zooms; Esc, and Back, undo it", async ({ adminPage: page, place, world }) => {
  await makeRequests(place, world, [models.plain]);
  await openLogs(page, world);
  await drag(page, 0.1, 0.4);
  await expect(liveState(page)).toHaveText("History");
  await expect(page).toHaveURL(/from=\d+&to=\d+/);
  await expect(rows(page)).toHaveCount(0);
  const from = () => new URL(page.url()).searchParams.get("from");
  const outer = from();
  await drag(page, 0.5, 0.9);
  await expect.poll(from).not.toBe(outer);
  await page.keyboard.press("Escape");
  await expect.poll(from).toBe(outer);
  await expect(liveState(page)).toHaveText("History");
  await page.goBack();
  await expect(liveState(page)).toHaveText("Live");
  await expect(rows(page)).toHaveCount(1);
  await expect(page).not.toHaveURL(/from=/);
});

test("says when the timeline cannot answer a filter", async ({ adminPage: page, world }) => {
  await openLogs(page, world, "&session=none&attempts=2");
  await expect(page.getByText("The timeline cannot be filtered by Session or Attempts.")).toBeVisible();
});

test("a fixed range is history: nothing is pushed into it until one goes live", async ({ adminPage: page, place, world }) => {
  await makeRequests(place, world, [models.plain]);
  const now = Date.now();
  await openLogs(page, world, `&from=${now - 3_600_000}&to=${now}`);
  await expect(rows(page)).toHaveCount(1);
  await makeRequests(place, world, [models.failing]);
  await expect(rows(page)).toHaveCount(1);
  await page.getByRole("button", { name: "Go live" }).click();
  await expect(liveState(page)).toHaveText("Live");
  await expect(rows(page)).toHaveCount(2);
  await makeRequests(place, world, [models.plain]);
  await expect(rows(page)).toHaveCount(3);
});

test("a rare filter says how far back it looked", async ({ adminPage: page, place, world }) => {
  await makeRequests(place, world, [models.plain]);
  await openLogs(page, world, "&attempts=9");
  await expect(page.getByText("No request matches")).toBeVisible();
});
