import { apiClient, expect, test } from "./fixtures.ts";

test("the audit shows what was done as it is done, with before and after, and is filtered by address", async ({
  adminPage: page,
  api,
  world,
}) => {
  await page.goto("/audit");
  await expect(page.getByRole("status", { name: "Live state" })).toHaveText("Live");
  const table = page.getByRole("table", { name: "Audit entries" });
  const row = table.getByRole("row").filter({ hasText: "provider.update" }).filter({ hasText: world.providerName });
  await expect(table).toBeVisible();
  await expect(row).toHaveCount(0);
  await api.providers.update.mutate({ id: world.providerId, priority: 7, secret: `sk-canary-${world.id}` });
  await expect(row).toHaveCount(1);
  await expect(row).toContainText("priority");
  await row.getByRole("button", { name: "provider.update" }).click();
  const entry = page.getByRole("dialog", { name: "provider.update" });
  const priority = entry.getByRole("listitem").filter({ hasText: "priority" });
  await expect(priority.locator("del")).toHaveText("0");
  await expect(priority.locator("ins")).toHaveText("7");
  await expect(entry).toContainText("secretChanged");
  await expect(entry).not.toContainText(`sk-canary-${world.id}`);
  await expect(entry).toContainText("127.0.0.1");
  await entry.getByRole("button", { name: "Show only this target" }).click();
  await expect(page).toHaveURL(new RegExp(`target=${world.providerId}`));
  await expect(table.getByRole("row").filter({ hasText: "provider." })).toHaveCount(2);
  await page.getByLabel("Action").selectOption("provider.create");
  await expect(table.getByRole("row").filter({ hasText: "provider." })).toHaveCount(1);
  await page.getByRole("button", { name: "Clear filters" }).click();
  await expect(page).not.toHaveURL(/target=/);
});

test("an attempt that was denied is in the audit", async ({ adminPage: page, place, world }) => {
  await page.goto("/audit?outcome=denied");
  const user = await apiClient(place, { email: world.userEmail, password: `password-${world.id}` });
  await expect(user.settings.update.mutate({ "breaker.failures": 0 })).rejects.toThrow();
  const row = page.getByRole("row").filter({ hasText: `User ${world.id}` });
  await expect(row).toContainText("settings.update");
  await expect(row).toContainText("Denied");
});
