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
  await expect(own.getByRole("img", { name: /Errors, last 3 h: 0 of 1 requests/ })).toBeVisible();
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
  // Figures come once a second: the request that is over counts as one of today's.
  await expect(card(page, world.providerName)).toContainText("Requests today1");
  await own.click();
  // Somebody would notice: it says who, and asks.
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
  // What is behind an open dialog is hidden from roles: it must be gone before the page says anything.
  await expect(page.getByRole("alertdialog")).toBeHidden();
  await expect(card(page, `${name} renamed`)).toHaveCount(0);
  // What was said before may stand below it still.
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
  await edit.getByLabel("Hours", { exact: true }).fill("09:00-18:00\n22:00-06:00");
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

test("a provider fails: its card opens, counts down, half-opens and closes before one's eyes @live", async ({
  adminPage: page,
  api,
  place,
  world,
}) => {
  const model = `claude-${world.id}`;
  const control = (scenario: string) =>
    fetch(`${upstreamUrl}/__control`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ target: model, scenario }),
    });
  await api.providers.update.mutate({ id: world.providerId, modelRedirects: { [models.plain]: model } });
  await control("error-before,500");
  await page.goto("/providers");
  const own = card(page, world.providerName);
  const breaker = (state: string) => own.getByRole("group", { name: `Breaker of ${model}: ${state}` });
  const fail = async (): Promise<number> => {
    await (await callMessages(place, world.secret)).text();
    return breaker("Open").count();
  };
  await expect.poll(fail).toBe(1);
  await expect(breaker("Open")).toContainText(/probe in \d+ s/);
  await expect(breaker("Open")).toContainText("500");
  // Its time is over by itself; nobody asks the server.
  await expect(breaker("Open")).toContainText("probe on the next request");

  // One slow request is the probe of all instances.
  await control("late,500+long,15+slow,100");
  const probe = callMessages(place, world.secret, { stream: true });
  await expect(breaker("Half-open")).toContainText("probe 1 of 2 in progress");
  await (await probe).text();
  await expect(breaker("Half-open")).toContainText("probe 2 of 2");
  await control("plain");
  expect((await callMessages(place, world.secret)).status).toBe(200);
  await expect(own).toContainText("Healthy");
  await expect(own.getByRole("group")).toHaveCount(0);
});

test("why a breaker opened is a click away, and an administrator resets it", async ({ adminPage: page, place, world }) => {
  await page.goto("/providers");
  const own = card(page, world.providerName);
  const open = own.getByRole("group", { name: /^Breaker of .*: Open$/ });
  await expect
    .poll(async () => {
      await (await callMessages(place, world.secret, { model: models.failing })).text();
      return open.count();
    })
    .toBe(1);
  await open.getByRole("link", { name: "Recent failed requests" }).click();
  await expect(page).toHaveURL(new RegExp(`provider=${world.providerId}`));
  await expect(page.getByRole("row").filter({ hasText: world.keyName }).first()).toBeVisible();
  await page.goBack();
  await act(page, world.providerName, "Reset breakers");
  await expect(own.getByRole("group")).toHaveCount(0);
  expect((await callMessages(place, world.secret, { model: models.failing })).status).toBe(500);
});

test("forced open with an end and a note, on every instance, and lifted", async ({ adminPage: page, place, world }) => {
  await page.goto("/providers");
  await act(page, world.providerName, "Force…");
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("radio", { name: /Force open/ }).check();
  await dialog.getByLabel("Duration", { exact: true }).selectOption("300");
  await dialog.getByLabel("Note").fill("billing dispute");
  await dialog.getByRole("button", { name: "Apply" }).click();
  const own = card(page, world.providerName);
  await expect(own).toContainText("Forced open");
  await expect(own).toContainText("billing dispute");
  await expect(own).toContainText(/4m \d\ds left/);
  await expect.poll(async () => (await callMessages(place, world.secret)).status).toBe(503);
  await own.getByRole("button", { name: "Lift" }).click();
  await expect(own).not.toContainText("Forced open");
  await expect.poll(async () => (await callMessages(place, world.secret)).status).toBe(200);
});

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

test("the simulator says where the next request goes, and that is where it goes", async ({ adminPage: page, api, place, world }) => {
  const other = await addProvider(api, world, `later ${world.id}`, { priority: 5 });
  await page.goto("/providers");
  await page.getByRole("button", { name: "Simulate" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("As", { exact: true }).selectOption(world.keyId);
  await dialog.getByLabel("Model").fill(models.plain);
  const answer = dialog.getByRole("region", { name: "Decision" });
  const wentTo = async (): Promise<string> => {
    await (await callMessages(place, world.secret, { session: `user_a_account__session_${crypto.randomUUID()}` })).text();
    const { items } = await api.logs.list.query({ filter: { keyId: world.keyId }, limit: 1 });
    return items[0]?.providerId ?? "";
  };
  await dialog.getByRole("button", { name: "Simulate" }).click();
  await expect(answer).toContainText(`The request would go to ${world.providerName}.`);
  await expect.poll(wentTo).toBe(world.providerId);
  await api.providers.override.mutate({ id: world.providerId, kind: "open", forSeconds: 300 });
  await dialog.getByRole("button", { name: "Simulate" }).click();
  await expect(answer).toContainText(`The request would go to ${other.name}.`);
  await expect(answer).toContainText("forced open by an administrator");
  await expect.poll(wentTo).toBe(other.id);
  await other.remove();
});
