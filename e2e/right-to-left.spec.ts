import type { Locator } from "@playwright/test";
import { callMessages, expect, test } from "./fixtures.ts";
import { openLogs, rows } from "./log-page.ts";

/** Wider than any column. */
const names = {
  arabic: "مفتاح فريق التحليلات لخدمة التقارير الشهرية في المنطقة الشرقية والغربية",
  hebrew: "משתמש של צוות הניתוח עבור שירות הדוחות החודשיים באזור המזרחי והמערבי",
};

/** Whether the first and the last letter of a text lie inside its element. */
async function ends(cell: Locator): Promise<{ first: boolean; last: boolean }> {
  return cell.evaluate((element) => {
    const text = document.createTreeWalker(element, NodeFilter.SHOW_TEXT).nextNode();
    if (!text) throw new Error("no text");
    const box = element.getBoundingClientRect();
    const shown = (at: number): boolean => {
      const range = document.createRange();
      range.setStart(text, at);
      range.setEnd(text, at + 1);
      const letter = range.getBoundingClientRect();
      return letter.left >= box.left - 1 && letter.right <= box.right + 1;
    };
    return { first: shown(0), last: shown((text.textContent?.length ?? 0) - 1) };
  });
}

const cutAtTheEnd = { first: true, last: false };

test("names written from right to left keep their beginning where they are cut", async ({ adminPage: page, api, place, world }) => {
  await api.keys.update.mutate({ id: world.keyId, name: names.arabic });
  await api.users.update.mutate({ id: world.userId, name: names.hebrew });
  await (await callMessages(place, world.secret)).text();
  await openLogs(page, world);
  const row = rows(page).first();
  await expect.poll(() => ends(row.locator('[data-field="key"]'))).toEqual(cutAtTheEnd);
  await expect.poll(() => ends(row.locator('[data-field="user"]'))).toEqual(cutAtTheEnd);

  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto(`/users?q=${world.userEmail}`);
  await expect.poll(() => ends(page.getByText(names.hebrew).first())).toEqual(cutAtTheEnd);
});
