import { callMessages, expect, models, test, upstreamSecret, upstreamUrl } from "./fixtures.ts";
import { act, card } from "./providers-page.ts";

test("the providers page opens with one call, and its figures arrive by themselves @live", async ({ adminPage: page, place, world }) => {
  const calls: string[] = [];
  page.on("request", (request) => {
    if (new URL(request.url()).pathname.includes("providers.")) calls.push(request.url());
  });
  await page.goto("/providers");
  const own = card(page, world.providerName);
  await expect(own).toContainText("No traffic today");
  await (await callMessages(place, world.secret)).text();
  await expect(own).toContainText("Healthy");
  await expect(own).toContainText("$");
  await expect(own.getByRole("img", { name: /Time to first content, last 3 h: mean \d/ })).toBeVisible();
  await expect(own.getByRole("img", { name: /Failed requests, last 3 h: 0 of 1 request$/ })).toBeVisible();
  expect(calls.filter((url) => url.includes("providers.bootstrap")).length).toBeGreaterThan(0);
  expect(calls.every((url) => url.includes("providers.bootstrap"))).toBe(true);
});

test("a provider is added, tested, disabled with effect at once, edited, deleted and brought back", async ({
  adminPage: page,
  api,
  place,
  world,
}) => {
  const name = `spare ${world.id}`;
  await page.goto("/providers");
  await page.getByRole("button", { name: "Add provider" }).first().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill(name);
  await dialog.getByLabel("Base URL").fill(upstreamUrl);
  await dialog.getByLabel("API key").fill(upstreamSecret);
  await dialog.getByRole("button", { name: "Test connection" }).click();
  await expect(dialog.getByText(/Connected in/)).toBeVisible();
  await dialog.getByRole("button", { name: /Add provider/ }).click();
  await expect(dialog).toBeHidden();
  await expect(card(page, name)).toHaveCount(1);

  const own = page.getByRole("switch", { name: `Enabled: ${world.providerName}` });
  await (await callMessages(place, world.secret, { session: `user_a_account__session_${crypto.randomUUID()}` })).text();
  await expect(card(page, world.providerName)).toContainText("Healthy");
  // Figures arrive once a second: the finished request counts as one of today's.
  await expect(card(page, world.providerName)).toContainText("Attempts today1");
  await own.click();
  // Disabling would affect somebody, so the dialog says whom and asks.
  const asked = page.getByRole("alertdialog");
  await expect(asked).toContainText(/of today's requests/);
  await asked.getByRole("button", { name: "Disable" }).click();
  await expect(own).not.toBeChecked();
  await expect.poll(async () => (await callMessages(place, world.secret)).status).toBe(503);
  await page
    .getByRole("dialog", { name: `${world.providerName} is disabled` })
    .getByRole("button", { name: "Undo" })
    .click();
  await expect(own).toBeChecked();
  await expect.poll(async () => (await callMessages(place, world.secret)).status).toBe(200);

  await card(page, name).getByRole("button", { name, exact: true }).click();
  const edit = page.getByRole("dialog");
  await expect(edit.getByLabel("API key")).toHaveValue("");
  await edit.getByLabel("Name").fill(`${name} renamed`);
  await edit.getByRole("button", { name: "Save" }).click();
  await expect(card(page, `${name} renamed`)).toBeVisible();

  await act(page, `${name} renamed`, "Delete");
  await page.getByRole("alertdialog").getByRole("button", { name: "Delete" }).click();
  // Everything behind an open dialog is hidden from roles: it must be gone before the page can be read.
  await expect(page.getByRole("alertdialog")).toBeHidden();
  await expect(card(page, `${name} renamed`)).toHaveCount(0);
  // The earlier message may still be shown below it.
  await page
    .getByRole("dialog", { name: `${name} renamed deleted` })
    .getByRole("button", { name: "Undo" })
    .click();
  await expect(card(page, `${name} renamed`)).toHaveCount(1);
  const { providers } = await api.providers.bootstrap.query();
  for (const { id } of providers.filter((each) => each.name.startsWith(name))) await api.providers.delete.mutate({ id });
});

test("keys, hours, headers and a proxy of a provider are set, refused at their fields, and kept", async ({
  adminPage: page,
  api,
  place,
  world,
}) => {
  const { id } = await api.providers.create.mutate({
    ...{
      name: `kept ${world.id}`,
      dialect: "anthropic",
      baseUrl: upstreamUrl,
      secret: `${upstreamSecret}@auth`,
      groups: [world.group],
      priority: 0,
    },
    credentials: [{ label: "spare", secret: upstreamSecret }],
  });
  await api.providers.update.mutate({ id: world.providerId, priority: 5 });
  await page.goto("/providers");
  const own = card(page, `kept ${world.id}`);
  expect((await callMessages(place, world.secret, { session: `user_a_account__session_${crypto.randomUUID()}` })).status).toBe(200);
  await expect(own).toContainText(/Key main is cooling down · \S.* left/);

  await own.getByRole("button", { name: `kept ${world.id}`, exact: true }).click();
  const edit = page.getByRole("dialog");
  await edit.getByRole("button", { name: "Add key" }).click();
  const added = edit.getByRole("group", { name: "Key 2" });
  await added.getByLabel("Label").fill("third");
  await edit.getByLabel("Active hours", { exact: true }).fill("09:00-18:00\n22:00-06:00");
  await edit.getByLabel("Time zone").fill("Asia/Shanghai");
  await edit.getByLabel("Extra headers").fill("Authorization: Bearer x");
  await edit.getByRole("button", { name: "Save" }).click();
  await expect(edit.getByLabel("Extra headers")).toHaveAttribute("aria-invalid", "true");
  await edit.getByLabel("Extra headers").fill("X-Team: blue");
  await edit.getByLabel("Models", { exact: true }).fill("/(/");
  await edit.getByRole("button", { name: "Save" }).click();
  await expect(edit.getByText(/missing closing/)).toBeVisible();
  await edit.getByLabel("Models", { exact: true }).fill("claude-*");
  await edit.getByRole("button", { name: "Save" }).click();
  await expect(edit.getByText('Enter the key of "third".')).toBeVisible();
  await added.getByLabel("API key").fill("sk-third-0123456789");
  await edit.getByRole("button", { name: "Save" }).click();
  await expect(edit).toBeHidden();
  expect(await api.providers.get.query({ id })).toMatchObject({
    ...{ models: ["claude-*"], headers: { "x-team": "blue" }, credentials: [{ label: "spare" }, { label: "third", secretTail: "6789" }] },
    schedule: {
      zone: "Asia/Shanghai",
      windows: [
        { from: "09:00", to: "18:00" },
        { from: "22:00", to: "06:00" },
      ],
    },
  });
  await api.providers.delete.mutate({ id });
});

test("a form says which field is wrong", async ({ adminPage: page }) => {
  await page.goto("/providers");
  await page.getByRole("button", { name: "Add provider" }).first().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("x");
  await dialog.getByLabel("Base URL").fill("not a url");
  await dialog.getByRole("button", { name: /Add provider|Create|Save/ }).click();
  await expect(dialog.getByLabel("Base URL")).toHaveAttribute("aria-invalid", "true");
  await expect(dialog).toBeVisible();
});

test("a connection test shows what came back", async ({ adminPage: page, world }) => {
  await page.goto("/providers");
  await act(page, world.providerName, "Test connection");
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Model").fill(models.plain);
  await dialog.getByRole("button", { name: "Test connection" }).click();
  await expect(dialog.getByText(`${models.plain} responded in`)).toBeVisible();
  await expect(dialog.getByRole("definition").filter({ hasText: /^200$/ })).toBeVisible();
  await expect(dialog.getByRole("definition").filter({ hasText: '"type":"message"' })).toBeVisible();
  await dialog.getByLabel("Model").fill(models.failing);
  await dialog.getByRole("button", { name: "Test connection" }).click();
  await expect(dialog.getByText(/Test failed/)).toBeVisible();
  await expect(dialog.getByRole("definition").filter({ hasText: /^500$/ })).toBeVisible();
});

test("a clone has its own name and waits disabled", async ({ adminPage: page, api, world }) => {
  await page.goto("/providers");
  await act(page, world.providerName, "Clone");
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByLabel("Name")).toHaveValue(`${world.providerName} (2)`);
  await expect(dialog.getByRole("checkbox", { name: "Enabled" })).not.toBeChecked();
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await expect(dialog).toBeHidden();
  await expect(card(page, `${world.providerName} (2)`)).toContainText("Disabled");
  const { providers } = await api.providers.bootstrap.query();
  const made = providers.find(({ name }) => name === `${world.providerName} (2)`);
  if (made) await api.providers.delete.mutate({ id: made.id });
});

test("an earlier version comes back from the history", async ({ adminPage: page, api, world }) => {
  await api.providers.update.mutate({ id: world.providerId, weight: 9 });
  await page.goto("/providers");
  await expect(card(page, world.providerName)).toContainText("weight 9");
  await act(page, world.providerName, "History");
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByText("Weight: 1 → 9")).toBeVisible();
  await expect(dialog.getByText("In force")).toHaveCount(1);
  await dialog.getByRole("button", { name: "Restore this version" }).click();
  await expect(dialog).toBeHidden();
  await expect(card(page, world.providerName)).toContainText("weight 1");
});
