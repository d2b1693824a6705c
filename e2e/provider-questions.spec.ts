import { callMessages, expect, holdBack, makeWorld, test, type World } from "./fixtures.ts";
import { act, card } from "./providers-page.ts";

test("an answer that opens a dialog late, and a clone's form, wait for the form that was opened meanwhile", async ({
  adminPage: page,
  api,
  place,
  world,
}) => {
  await (await callMessages(place, world.secret, { session: `user_a_account__session_${crypto.randomUUID()}` })).text();
  await page.goto("/providers");
  await expect(card(page, world.providerName)).toContainText("Attempts today1");
  let release = await holdBack(page, /providers\.(impact|clone)/);
  const form = page.getByRole("dialog", { name: "Add provider" });
  const answered = (of: RegExp) => page.waitForResponse((response) => of.test(response.url()));

  const impact = answered(/providers\.impact/);
  await page.getByRole("switch", { name: `Enabled: ${world.providerName}` }).click();
  await page.getByRole("button", { name: "Add provider" }).first().click();
  await form.getByLabel("Name").fill("half of a name");
  release();
  await (await impact).finished();
  // Whatever the answer opens would appear within the next frame.
  await expect(form.getByLabel("Base URL")).toBeEditable();
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  await expect(form.getByLabel("Name")).toHaveValue("half of a name");
  await page.keyboard.press("Escape");
  const question = page.getByRole("alertdialog");
  await expect(question).toContainText(/of today's requests/);
  await question.getByRole("button", { name: "Cancel" }).click();
  await expect(question).toBeHidden();

  release = await holdBack(page, /providers\.(impact|clone)/);
  await act(page, world.providerName, "Clone");
  await page.getByRole("button", { name: "Add provider" }).first().click();
  await form.getByLabel("Name").fill("half of a name");
  release();
  await expect(
    card(page, `${world.providerName} (2)`)
      .or(page.getByText(/ \(2\)/))
      .first(),
  ).toBeAttached();
  await expect(form.getByLabel("Name")).toHaveValue("half of a name");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog", { name: `${world.providerName} (2)` }).getByLabel("Name")).toHaveValue(`${world.providerName} (2)`);
  const { providers } = await api.providers.bootstrap.query();
  const made = providers.find(({ name }) => name === `${world.providerName} (2)`);
  if (made) await api.providers.delete.mutate({ id: made.id });
});

test("two providers that are switched off at once are asked about one after the other", async ({ adminPage: page, api, place, world }) => {
  const second = await makeWorld(api);
  const both = [world, second];
  for (const { secret } of both) await (await callMessages(place, secret)).text();
  await page.goto("/providers");
  for (const { providerName } of both) await expect(card(page, providerName)).toContainText("Attempts today1");
  const enabled = ({ providerName }: World) => page.getByRole("switch", { name: `Enabled: ${providerName}` });
  const release = await holdBack(page, /providers\.impact/);
  const answers = both.map(({ providerId }) => page.waitForResponse((response) => response.url().includes(providerId)));
  for (const one of both) await enabled(one).press("Space");
  // Pressed twice, but asked about only once.
  await enabled(world).press("Space");
  release();

  const question = page.getByRole("alertdialog");
  const asked = async (): Promise<World[]> => {
    const title = await question.getByRole("heading").textContent();
    return both.filter(({ providerName }) => title?.includes(providerName));
  };
  await expect(question).toContainText(/of today's requests/);
  const [first] = await asked();
  const other = both.find((one) => one !== first);
  if (!first || !other) throw new Error("asked about another provider");
  // The later answer does not change the open dialog.
  for (const answer of await Promise.all(answers)) await answer.finished();
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  expect(await asked()).toEqual([first]);
  await question.getByRole("button", { name: "Disable" }).press("Enter");
  await expect.poll(asked).toEqual([other]);
  await expect(question.getByRole("button", { name: "Cancel" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(question).toBeHidden();
  await expect(enabled(first)).not.toBeChecked();
  await expect(enabled(other)).toBeChecked();
  await second.remove();
});

test("two providers cloned at once are edited one after the other", async ({ adminPage: page, api, world }) => {
  const second = await makeWorld(api);
  const names = [world, second].map(({ providerName }) => providerName);
  await page.goto("/providers");
  const release = await holdBack(page, /providers\.clone/);
  for (const name of names) await act(page, name, "Clone");
  release();

  const edited: string[] = [];
  for (const _ of names) {
    const form = page.getByRole("dialog", { name: /^Edit / });
    await expect(form.getByLabel("Name")).toHaveValue(/ \(2\)$/);
    const name = await form.getByLabel("Name").inputValue();
    await expect(form).toHaveAccessibleName(`Edit ${name}`);
    edited.push(name);
    await page.keyboard.press("Escape");
    await expect(page.getByRole("dialog", { name: `Edit ${name}` })).toBeHidden();
  }
  expect(edited.sort()).toEqual(names.map((name) => `${name} (2)`).sort());
  const { providers } = await api.providers.bootstrap.query();
  for (const { id, name } of providers) if (edited.includes(name)) await api.providers.delete.mutate({ id });
  await second.remove();
});
