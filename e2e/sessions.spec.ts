import { asksForRows, callMessages, expect, models, test } from "./fixtures.ts";

test("a session appears with its first request, counts, and leaves when its window is over @live", async ({
  adminPage: page,
  place,
  world,
}) => {
  await page.goto("/sessions");
  await expect(page.getByRole("status", { name: "Live state" })).toHaveText("Live");
  const row = page.getByRole("table", { name: "Active sessions" }).getByRole("row").filter({ hasText: world.keyName });
  await expect(row).toHaveCount(0);
  const asked: string[] = [];
  page.on("request", (request) => asked.push(request.url()));

  const session = `user_x_account__session_${crypto.randomUUID()}`;
  const slow = callMessages(place, world.secret, { session, model: models.slow, stream: true });
  await expect(row).toHaveCount(1);
  await (await slow).text();
  await (await callMessages(place, world.secret, { session })).text();
  await expect(row.getByRole("cell", { name: "2", exact: true })).toBeVisible();
  await expect(row).toContainText("$");
  await expect(row).toHaveCount(0);
  expect(asked.filter(asksForRows)).toEqual([]);
});
