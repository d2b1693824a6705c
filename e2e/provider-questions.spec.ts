import { callMessages, expect, holdBack, test } from "./fixtures.ts";
import { act, card } from "./providers-page.ts";

test("a question that was long in coming, and a clone's form, wait for the form that was opened meanwhile", async ({
  adminPage: page,
  api,
  place,
  world,
}) => {
  await (await callMessages(place, world.secret, { session: `user_a_account__session_${crypto.randomUUID()}` })).text();
  await page.goto("/providers");
  await expect(card(page, world.providerName)).toContainText("Requests today1");
  let release = await holdBack(page, /providers\.(impact|clone)/);
  const form = page.getByRole("dialog", { name: "Add provider" });
  const answered = (of: RegExp) => page.waitForResponse((response) => of.test(response.url()));

  const impact = answered(/providers\.impact/);
  await page.getByRole("switch", { name: `Enabled: ${world.providerName}` }).click();
  await page.getByRole("button", { name: "Add provider" }).first().click();
  await form.getByLabel("Name").fill("half of a name");
  release();
  await (await impact).finished();
  // It was there after the next frame.
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
