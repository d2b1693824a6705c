import type { Page } from "@playwright/test";
import { callMessages, expect, test } from "./fixtures.ts";

test.use({ viewport: { width: 390, height: 844 } });

/** Texts of cards that are not fully visible: cut with an ellipsis, or by the edge of their container. */
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
          // A text that is entirely outside is omitted, not cut.
          if (width <= 1 || top >= edge.bottom || bottom <= edge.top) break;
          if (right > edge.right + 1 || left < edge.left - 1 || bottom > edge.bottom + 1) cut.push(text.textContent ?? "");
        }
      }
      return cut;
    }),
  );
}

test("cards on a phone cut no text", async ({ adminPage: page, api, place, world }) => {
  await api.users.update.mutate({ id: world.userId, role: "admin" });
  await (await callMessages(place, world.secret)).text();

  await page.goto(`/users?q=${world.userEmail}`);
  const user = page.getByRole("row").filter({ hasText: world.userEmail });
  await expect(user).toContainText(/1 request(?!s)/);
  expect(await cutTexts(page, "[role=row][data-id]")).toEqual([]);

  await page.goto(`/audit?target=${world.providerId}`);
  await expect(page.getByRole("button", { name: "provider.create" })).toBeVisible();
  expect(await cutTexts(page, ".card-table tbody tr")).toEqual([]);
});

test("the options of the log's filter stay on the screen of a phone", async ({ adminPage: page }) => {
  await page.goto("/logs");
  await page.getByRole("combobox", { name: "Find requests" }).click();
  const offered = page.getByRole("listbox");
  await expect(offered).toBeVisible();
  const box = await offered.boundingBox();
  expect((box?.x ?? 0) + (box?.width ?? 390)).toBeLessThanOrEqual(390);
});
