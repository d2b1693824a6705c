import { callMessages, expect, models, test, upstreamUrl } from "./fixtures.ts";
import { act, card } from "./providers-page.ts";

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
  // The cooldown ends without the server being asked.
  await expect(breaker("Open")).toContainText("probe on the next request");

  // One slow request is the probe for all instances.
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
