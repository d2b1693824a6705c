import { expect, test } from "./fixtures.ts";
import { addProvider, card } from "./providers-page.ts";

test("many are changed at once after a look at what changes, and put back by one click", async ({ adminPage: page, api, world }) => {
  const other = await addProvider(api, world, `other ${world.id}`, { weight: 4 });
  await page.goto("/providers");
  for (const name of [world.providerName, other.name]) await page.getByRole("checkbox", { name: `Select ${name}` }).check();
  await page.getByRole("button", { name: "Edit…" }).click();
  // A toast with an action is a dialog, too.
  const dialog = page.getByRole("dialog", { name: "Edit 2 providers" });
  await dialog.getByLabel("Weight").fill("7");
  await dialog.getByLabel("Add groups").fill("extra");
  await dialog.getByLabel("Enabled").selectOption("off");
  const preview = dialog.getByRole("table");
  await expect(preview.getByRole("row", { name: `${other.name} Weight 4 7` })).toBeVisible();
  await expect(preview.getByRole("row", { name: `${world.providerName} Groups ${world.group} ${world.group}, extra` })).toBeVisible();
  await dialog.getByRole("button", { name: "Change 2 providers" }).click();
  await expect(dialog).toBeHidden();
  await expect(card(page, other.name)).toContainText("weight 7");
  await expect(card(page, other.name)).toContainText("Disabled");
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(card(page, other.name)).toContainText("weight 4");
  await expect(card(page, world.providerName)).toContainText("weight 1");
  expect(await api.providers.get.query({ id: world.providerId })).toMatchObject({ groups: [world.group], enabled: true, weight: 1 });
  await other.remove();
});

test("the order is changed by keys or by dragging, and saved as priorities", async ({ adminPage: page, api, world }) => {
  const first = await addProvider(api, world, `first ${world.id}`, { priority: 900 });
  const second = await addProvider(api, world, `second ${world.id}`, { priority: 950 });
  await page.goto("/providers");
  await page.getByRole("button", { name: "Reorder" }).click();
  const dialog = page.getByRole("dialog", { name: "Provider order" });
  const places = dialog.getByRole("list", { name: "Providers in order" }).getByRole("listitem");
  const own = places.filter({ hasText: world.id }).filter({ hasNotText: "provider" });
  await expect(own).toHaveText([new RegExp(first.name), new RegExp(second.name)]);
  const handle = dialog.getByRole("button", { name: `Move ${second.name}` });
  await handle.press("ArrowUp");
  await expect(own).toHaveText([new RegExp(second.name), new RegExp(first.name)]);
  await expect(handle).toBeFocused();
  await own.filter({ hasText: first.name }).dragTo(own.filter({ hasText: second.name }));
  await expect(own).toHaveText([new RegExp(first.name), new RegExp(second.name)]);
  await handle.press("ArrowUp");
  await expect(dialog.getByRole("table").getByRole("row", { name: new RegExp(`${second.name} Priority 950`) })).toBeVisible();
  await dialog.getByRole("button", { name: "Save order" }).click();
  await expect(dialog).toBeHidden();
  const priority = async (id: string) => (await api.providers.get.query({ id })).priority;
  await expect.poll(() => priority(second.id)).toBeLessThan(900);
  expect(await priority(first.id)).toBe(900);
  await page.getByRole("button", { name: "Undo" }).click();
  await expect.poll(() => priority(second.id)).toBe(950);
  await first.remove();
  await second.remove();
});
