import type { Page } from "@playwright/test";
import { callMessages, expect, test } from "./fixtures.ts";

test.use({ viewport: { width: 390, height: 844 } });

/** Texts of cards that are not there whole: cut with an ellipsis, or by the edge of what they stand in. */
async function cutTexts(page: Page, list: string): Promise<string[]> {
  return page.locator(list).evaluateAll((rows) =>
    rows.flatMap((row) => {
      const walker = document.createTreeWalker(row, NodeFilter.SHOW_TEXT);
      const cut: string[] = [];
      for (let text = walker.nextNode(); text; text = walker.nextNode()) {
        const range = document.createRange();
        range.selectNodeContents(text);
        const { left, right, top, bottom, width } = range.getBoundingClientRect();
        for (let box = text.parentElement; box && row.contains(box); box = box.parentElement) {
          const edge = box.getBoundingClientRect();
          const style = getComputedStyle(box);
          if ((style.overflow === "visible" && style.contain === "none") || edge.width <= 1) continue;
          // What is wholly out of it is left out, and not cut through.
          if (width <= 1 || top >= edge.bottom || bottom <= edge.top) break;
          if (right > edge.right + 1 || left < edge.left - 1 || bottom > edge.bottom + 1) cut.push(text.textContent ?? "");
        }
      }
      return cut;
    }),
  );
}

test("cards of a phone cut nothing through", async ({ adminPage: page, api, place, world }) => {
  await api.users.update.mutate({ id: world.userId, role: "admin" });
  await (await callMessages(place, world.secret)).text();

  await page.goto(`/users?q=${world.userEmail}`);
  const user = page.getByRole("row").filter({ hasText: world.userEmail });
  await expect(user).toContainText("1 Requests");
  expect(await cutTexts(page, "[role=row][data-id]")).toEqual([]);

  await page.goto(`/audit?target=${world.providerId}`);
  await expect(page.getByRole("button", { name: "provider.create" })).toBeVisible();
  expect(await cutTexts(page, ".card-table tbody tr")).toEqual([]);
});

test("what the log's filter offers stays on the screen of a phone", async ({ adminPage: page }) => {
  await page.goto("/logs");
  await page.getByRole("combobox", { name: "Find requests" }).click();
  const offered = page.getByRole("listbox");
  await expect(offered).toBeVisible();
  const box = await offered.boundingBox();
  expect((box?.x ?? 0) + (box?.width ?? 390)).toBeLessThanOrEqual(390);
});
