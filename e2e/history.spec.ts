import { asksForRows, callMessages, expect, test } from "./fixtures.ts";

test("H13: the overview and the ledger say up to when figures are settled, by push", async ({ adminPage: page, place, world }) => {
  await (await callMessages(place, world.secret)).text();
  await page.goto("/system/ledger");
  const said = page.getByText(/Figures settled up to \d\d:\d\d:\d\d, [\d.]+ m?s behind/);
  await expect(said).toBeVisible();
  await page.goto("/overview");
  await expect(said).toBeVisible();
  await expect(page.getByRole("status", { name: "Live state" })).toHaveText("Live");
  const asked: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  const before = await said.textContent();
  await expect(said).not.toHaveText(before ?? "");
  expect(asked.filter(asksForRows)).toEqual([]);
});
