import type { Locator, Page } from "@playwright/test";
import { asksForRows, callMessages, expect, holdBack, models, signIn, test } from "./fixtures.ts";

/** The row of a key, found by searching for it: other specs create keys too. */
async function keyRow(page: Page, name: string): Promise<Locator> {
  await page.goto(`/keys?q=${encodeURIComponent(name)}`);
  const row = page.getByRole("table", { name: "Keys" }).getByRole("row").filter({ hasText: name });
  await expect(row).toHaveCount(1);
  return row;
}

async function choose(page: Page, row: Locator, action: string): Promise<void> {
  await row.getByRole("button", { name: /More actions/ }).click();
  await page.getByRole("menuitem", { name: action }).click();
}

/** Returns the largest number of tab panels that were visible at once since the call. */
async function watchPanels(page: Page): Promise<() => Promise<number>> {
  const watched = await page.evaluateHandle(() => {
    const seen = { most: 0 };
    function count(): void {
      const visible = [...document.querySelectorAll('[role="tabpanel"]')].filter((panel) => panel.checkVisibility());
      seen.most = Math.max(seen.most, visible.length);
      requestAnimationFrame(count);
    }
    count();
    return seen;
  });
  return () => watched.evaluate(({ most }) => most);
}

test("a key is shown once, works at once, and stops at once", async ({ adminPage: page, place, world }) => {
  const name = `console key ${world.id}`;
  await page.goto("/keys");
  await page.getByRole("button", { name: "Create key" }).first().click();
  const form = page.getByRole("dialog");
  await form.getByLabel("Name").fill(name);
  await form.getByLabel("Group").fill(world.group);
  await form.getByRole("button", { name: /Create/ }).click();
  const created = page.getByRole("dialog", { name: "Key created" });
  const secret = await created.getByLabel("New key").inputValue();
  expect(secret).toMatch(/^sk-sluice-\w{20,}$/);
  for (const [system, line] of [
    ["macOS / Linux", `export ANTHROPIC_AUTH_TOKEN="${secret}"`],
    ["PowerShell", `$env:ANTHROPIC_AUTH_TOKEN = "${secret}"`],
    ["CMD", `set "ANTHROPIC_AUTH_TOKEN=${secret}"`],
  ] as const) {
    await created.getByLabel("System").selectOption(system);
    await expect(created.getByRole("tabpanel")).toContainText(line);
  }
  await expect(created.getByRole("tabpanel")).toContainText(place.consoleUrl);
  const link = await created.getByRole("link", { name: "Import into CC Switch" }).getAttribute("href");
  expect(new URL(link ?? "").searchParams.get("apiKey")).toBe(secret);
  const panelsSeen = await watchPanels(page);
  await created.getByRole("tab", { name: "Codex" }).click();
  await expect(created.getByRole("tabpanel")).toContainText('wire_api = "responses"');
  expect(await panelsSeen(), "only one panel is visible at a time").toBe(1);
  await created.getByRole("button", { name: "I have copied it" }).click();
  expect((await callMessages(place, secret)).status).toBe(200);
  await expect(page.getByText(secret)).toHaveCount(0);

  const row = await keyRow(page, name);
  await row.getByRole("switch").click();
  await expect.poll(async () => (await callMessages(place, secret)).status).toBe(403);
  await choose(page, row, "Revoke");
  await page.getByRole("alertdialog").getByRole("button", { name: "Revoke" }).click();
  // Everything behind an open dialog is hidden from roles: it must be gone before the table can be read.
  await expect(page.getByRole("alertdialog")).toBeHidden();
  await expect(row).toHaveCount(0);
  await expect.poll(async () => (await callMessages(place, secret)).status).toBe(401);
});

test("when a key is revoked while the dialog asks about another one, the message names it and the dialog stays", async ({
  adminPage: page,
  api,
  world,
}) => {
  await api.keys.create.mutate({ userId: world.userId, name: `other ${world.id}` });
  await page.goto(`/keys?user=${world.userId}`);
  const rowOf = (name: string) => page.getByRole("table", { name: "Keys" }).getByRole("row").filter({ hasText: name });
  const release = await holdBack(page, /keys\.revoke/);
  await choose(page, rowOf(`other ${world.id}`), "Revoke");
  const question = page.getByRole("alertdialog", { name: /^Revoke/ });
  await question.getByRole("button", { name: "Revoke" }).click();
  await page.keyboard.press("Escape");
  await expect(question).toBeHidden();
  await choose(page, rowOf(world.keyName), "Revoke");
  release();
  await expect(page.getByText(`other ${world.id} is revoked`)).toBeVisible();
  await expect(question).toContainText(world.keyName);
});

test("a key that was switched off by mistake is back by one press", async ({ adminPage: page, place, world }) => {
  const row = await keyRow(page, world.keyName);
  await row.getByRole("switch").click();
  await expect(row).toContainText("Disabled");
  await expect.poll(async () => (await callMessages(place, world.secret)).status).toBe(403);
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(row).toContainText("Active");
  await expect.poll(async () => (await callMessages(place, world.secret)).status).toBe(200);
});

test("when two keys are switched off before the first answer arrives, both are reported, each with its undo", async ({
  adminPage: page,
  api,
  world,
}) => {
  await api.keys.create.mutate({ userId: world.userId, name: `other ${world.id}` });
  await page.goto(`/keys?user=${world.userId}`);
  const release = await holdBack(page, /keys\.update/);
  for (const name of [world.keyName, `other ${world.id}`])
    await page.getByRole("table", { name: "Keys" }).getByRole("row").filter({ hasText: name }).getByRole("switch").click();
  release();
  for (const name of [world.keyName, `other ${world.id}`]) await expect(page.getByText(`${name} is disabled`)).toBeVisible();
  await expect(page.getByRole("button", { name: "Undo" })).toHaveCount(2);
});

test("a new secret works beside the old one, until the old one is ended", async ({ adminPage: page, place, world }) => {
  const row = await keyRow(page, world.keyName);
  await choose(page, row, "Rotate secret");
  const asking = page.getByRole("dialog");
  await asking.getByLabel("Keep the old secret for").selectOption("1 hour");
  await asking.getByRole("button", { name: "Rotate secret" }).click();
  const made = page.getByRole("dialog", { name: /New secret of/ });
  const secret = await made.getByLabel("New key").inputValue();
  await expect(made).toContainText("The old secret works until");
  await made.getByRole("button", { name: "I have copied it" }).click();
  await expect(row).toContainText("Old secret until");
  const statusOf = async (key: string) => (await callMessages(place, key)).status;
  await expect.poll(() => statusOf(secret)).toBe(200);
  expect(await statusOf(world.secret)).toBe(200);

  await choose(page, row, "End old secret now");
  await expect.poll(() => statusOf(world.secret)).toBe(401);
  expect(await statusOf(secret)).toBe(200);
  await expect(row).not.toContainText("Old secret until");
});

test("the details of a revoked key say that it is revoked", async ({ adminPage: page, api, world }) => {
  const { key } = await api.keys.create.mutate({ userId: world.userId, name: `revoked ${world.id}`, group: world.group });
  await api.keys.revoke.mutate({ id: key.id });
  await page.goto(`/keys?q=${encodeURIComponent(key.name)}&status=revoked`);
  // A revoked key carries a part of its id in its name.
  await page.locator("button[data-key-name]").filter({ hasText: key.name }).click();
  const detail = page.getByRole("dialog");
  await expect(detail.getByRole("tabpanel")).toContainText("This key is revoked");
  await expect(detail).not.toContainText("Nothing limits this key");
  await expect(detail).not.toContainText("No restrictions");
});

test("effective limits show their owner and what is used now, and a check says what stops the key", async ({
  adminPage: page,
  api,
  place,
  world,
}) => {
  await api.keys.update.mutate({ id: world.keyId, rpm: 3, inFlight: 2 });
  const row = await keyRow(page, world.keyName);
  await row.getByRole("button", { name: world.keyName, exact: true }).click();
  const detail = page.getByRole("dialog", { name: world.keyName });
  const rate = detail.getByRole("listitem").filter({ hasText: "Requests per minute" });
  const flight = detail.getByRole("listitem").filter({ hasText: "Requests in flight" });
  await expect(rate).toContainText("0 of 3");
  await expect(rate).toContainText("Limit of this key");
  // The new limits reach the gateway by message.
  await expect.poll(async () => (await api.keys.check.query({ id: world.keyId, model: models.plain })).allowed).toBe(true);
  const running = await callMessages(place, world.secret, { model: models.slow, stream: true });
  await expect(rate).toContainText("1 of 3");
  await expect(flight).toContainText("1 of 2");
  await running.text();
  await expect(flight).toContainText("0 of 2");
  for (let i = 0; i < 2; i++) expect((await callMessages(place, world.secret)).status).toBe(200);
  await expect(rate).toContainText("3 of 3");
  await expect(rate).toContainText("Fully available again in");
  expect((await callMessages(place, world.secret)).status).toBe(429);

  await detail.getByRole("tab", { name: "Check a model" }).click();
  await detail.getByRole("textbox", { name: "Model" }).fill(models.plain);
  await detail.getByRole("button", { name: "Check now" }).click();
  await expect(detail.getByRole("status")).toContainText("This key cannot call");
  const rule = (text: string) => detail.getByRole("listitem").filter({ hasText: text });
  await expect(rule("Requests per minute")).toContainText("Blocked");
  await expect(rule("A provider of its group")).toContainText("Passed");
  await expect(detail).toContainText(world.providerName);
  await detail.getByRole("textbox", { name: "Model" }).fill("claude-that-nobody-priced");
  await detail.getByRole("button", { name: "Check now" }).click();
  await expect(rule("The model has a price")).toContainText("The model has no price yet");
});

test("figures of a key move with its requests, and nothing is asked for", async ({ adminPage: page, place, world }) => {
  const row = await keyRow(page, world.keyName);
  await expect(row).toContainText("Never used");
  const asked: string[] = [];
  page.on("request", (request) => asksForRows(request.url()) && asked.push(request.url()));
  for (let i = 0; i < 3; i++) await (await callMessages(place, world.secret)).text();
  await expect(row).not.toContainText("Never used");
  await expect(row.getByRole("cell").filter({ hasText: /^3$/ })).toHaveCount(1);
  await expect(row).toContainText("$");
  expect(asked.filter((url) => !url.includes("keys.list"))).toEqual([]);
  await page.reload();
  await expect(row.getByRole("cell").filter({ hasText: /^3$/ })).toHaveCount(1);
});

test("keys are sorted, filtered and read on by scrolling", async ({ adminPage: page, api, place, world }) => {
  test.slow();
  const made: { key: { id: string } }[] = [];
  for (let i = 0; i < 60; i++)
    made.push(await api.keys.create.mutate({ userId: world.userId, name: `paged ${String(i).padStart(2, "0")} ${world.id}` }));
  await (await callMessages(place, world.secret)).text();
  const names = page.getByRole("table", { name: "Keys" }).getByRole("row").locator("button[data-key-name]");
  await page.goto(`/keys?user=${world.userId}`);
  await expect(page.getByText(`Keys of User ${world.id}`)).toBeVisible();
  await page.getByRole("columnheader", { name: "Name" }).getByRole("button").click();
  await expect(names.first()).toHaveText(world.keyName);
  await expect(page.getByRole("columnheader", { name: "Name" })).toHaveAttribute("aria-sort", "ascending");
  await expect(names.nth(1)).toHaveText(`paged 00 ${world.id}`);
  const last = page.getByRole("button", { name: `paged 59 ${world.id}`, exact: true });
  await page.getByRole("table", { name: "Keys" }).hover();
  await expect
    .poll(async () => {
      await page.mouse.wheel(0, 2_000);
      return last.isVisible();
    })
    .toBe(true);
  await page.getByRole("columnheader", { name: "Requests" }).getByRole("button").click();
  await expect(names.first()).toHaveText(world.keyName);

  await page.getByRole("searchbox", { name: "Search" }).fill("paged 07");
  await expect(names).toHaveText([`paged 07 ${world.id}`]);
  await page.getByLabel("Status").selectOption("Revoked");
  await expect(page.getByText("Nothing matches")).toBeVisible();
  await api.keys.revoke.mutate({ id: made[7]?.key.id ?? "" });
  await expect(names).toHaveText([/^paged 07 \w+ · [0-9a-f]{6}$/]);
  await page.getByRole("searchbox", { name: "Search" }).fill("none like this");
  await page.getByRole("button", { name: "Clear filters" }).click();
  await expect(names.first()).toBeVisible();
});

test("a user sees, makes and renews their own keys only", async ({ page, place, world }) => {
  await signIn(page, place, { email: world.userEmail, password: `password-${world.id}` });
  await page.goto("/keys");
  const table = page.getByRole("table", { name: "Keys" });
  await expect(table.getByRole("row")).toHaveCount(2);
  await expect(table).toContainText(world.keyName);
  await expect(table.getByRole("switch")).toHaveCount(0);
  await expect(table.getByRole("columnheader", { name: "Owner" })).toHaveCount(0);
  await page.getByRole("button", { name: "Create key" }).first().click();
  await page.getByRole("dialog").getByLabel("Name").fill("mine");
  await page
    .getByRole("dialog")
    .getByRole("button", { name: /Create/ })
    .click();
  await page.getByRole("button", { name: "I have copied it" }).click();
  await expect(table.getByRole("row")).toHaveCount(3);
  await table.getByRole("button", { name: world.keyName, exact: true }).click();
  const detail = page.getByRole("dialog", { name: world.keyName });
  await detail.getByRole("tab", { name: "Check a model" }).click();
  await detail.getByRole("textbox", { name: "Model" }).fill(models.plain);
  await detail.getByRole("button", { name: "Check now" }).click();
  await expect(detail.getByRole("status")).toContainText("This key can call");
  await expect(detail).not.toContainText(world.providerName);
});

test("a user sees their own requests, live, and no administration", async ({ page, place, world }) => {
  await signIn(page, place, { email: world.userEmail, password: `password-${world.id}` });
  await page.goto("/logs");
  await expect(page.getByRole("status", { name: "Live state" })).toHaveText("Live");
  await (await callMessages(place, world.secret)).text();
  const rows = page.locator("[data-id]");
  await expect(rows).toHaveCount(1);
  await expect(rows.first()).toContainText("Done");
  await expect(rows.first()).not.toContainText(world.providerName);
  const navigation = page.getByRole("navigation", { name: "Main" });
  await expect(navigation.getByRole("link", { name: "Keys" })).toBeVisible();
  await expect(navigation.getByRole("link", { name: "Providers" })).toHaveCount(0);
  await page.goto("/providers");
  await expect(page.getByRole("article")).toHaveCount(0);
});
