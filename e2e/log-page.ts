import type { Locator, Page } from "@playwright/test";
import { callMessages, expect, type World } from "./fixtures.ts";
import type { Place } from "./places.ts";

/** Opens the logs page, filtered to the key of one world. */
export async function openLogs(page: Page, world: World, search = ""): Promise<void> {
  await page.goto(`/logs?key=${world.keyId}${search}`);
  await expect(liveState(page)).toHaveText(search.includes("&to=") ? "History" : "Live");
  // The timeline is loaded last, unless it cannot answer.
  await expect(
    timeline(page)
      .getByRole("img")
      .or(page.getByText(/^The timeline cannot/)),
  ).toBeVisible();
}

export const rows = (page: Page): Locator => page.getByRole("table", { name: "Requests" }).locator("[data-id]");

export const liveState = (page: Page): Locator => page.getByRole("status", { name: "Live state" });

export const timeline = (page: Page): Locator => page.getByRole("region", { name: "Requests over time" });

export const drawer = (page: Page): Locator => page.getByRole("complementary", { name: "Request" });

/** Sends requests one after another; returns their ids, oldest first. */
export async function makeRequests(place: Place, world: World, modelsInOrder: readonly string[]): Promise<string[]> {
  const ids: string[] = [];
  for (const model of modelsInOrder) {
    const answer = await callMessages(place, world.secret, { model });
    await answer.text();
    ids.push(answer.headers.get("request-id") ?? "");
  }
  return ids;
}

/** Opens the menu of a cell in the first row that contains the text. */
export async function cellMenu(page: Page, text: string, field: string): Promise<void> {
  const cell = rows(page).filter({ hasText: text }).first().locator(`[data-field="${field}"]`);
  await cell.hover();
  await cell.getByRole("button").click();
}
