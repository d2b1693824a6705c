import { callMessages, expect, test } from "./fixtures.ts";
import { flaws, flawsAtWidths } from "./flaws.ts";
import { upstreamPort } from "./places.ts";

test("an alert: a channel is made and tried, a rule breached, the incident appears by push, and is over by push", async ({
  adminPage: page,
  api,
  place,
  world,
}) => {
  await page.goto("/alerts");

  await page.getByRole("button", { name: "New channel" }).click();
  const channel = page.getByRole("dialog", { name: "New channel" });
  await channel.getByLabel("Name", { exact: true }).fill(`hook ${world.id}`);
  await channel.getByLabel("URL").fill("http://169.254.169.254/");
  await channel.getByRole("button", { name: "Save" }).click();
  await expect(channel.getByText("This address is not allowed.")).toBeVisible();
  await channel.getByLabel("URL").fill(`http://127.0.0.1:${upstreamPort}/hook`);
  expect(await flaws(page, "alert-channel")).toEqual([]);
  await channel.getByRole("button", { name: "Save" }).click();
  const secret = page.getByRole("dialog", { name: "Channel created" });
  await expect(secret.getByRole("textbox")).toHaveValue(/^whsec_/);
  await secret.getByRole("button", { name: "I have stored it" }).click();
  await page.getByRole("button", { name: `Send a test message to hook ${world.id}` }).click();
  const tested = page.getByRole("dialog", { name: `Test of hook ${world.id}` });
  await expect(tested.getByText(/^401 /)).toBeVisible();
  await tested.getByRole("button", { name: "Close" }).last().click();

  await page.getByRole("button", { name: "New rule" }).click();
  const rule = page.getByRole("dialog", { name: "New rule" });
  await rule.getByLabel("Metric", { exact: true }).selectOption({ label: "Cost" });
  await rule.getByLabel("Name", { exact: true }).fill(`spent ${world.id}`);
  await rule.getByLabel("Threshold (USD)").fill("0.000001");
  await rule.getByLabel("Resolve after, seconds").fill("0");
  await rule.getByLabel("Scope").selectOption({ label: "Key" });
  await rule.getByRole("button", { name: "Save" }).click();
  await expect(rule.getByText("Not valid")).toBeVisible();
  await rule.getByLabel("Subject").selectOption({ label: world.keyName });
  await rule.getByLabel(`hook ${world.id}`).check();
  expect(await flaws(page, "alert-rule")).toEqual([]);
  await rule.getByRole("button", { name: "Save" }).click();
  await expect(rule).toBeHidden();

  await (await callMessages(place, world.secret)).text();
  const open = page
    .getByRole("region", { name: "Open" })
    .getByRole("listitem")
    .filter({ hasText: `spent ${world.id}` });
  await expect(open.first()).toBeVisible({ timeout: 30_000 });
  await expect(open.first()).toContainText(world.keyName);
  await expect(open.first().getByText(/retry at .*401/)).toBeVisible();
  await expect(page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: /Alerts.* open/ })).toBeVisible();
  expect(await flawsAtWidths(page, "alert-open")).toEqual([]);

  const { id } = (await api.alerts.rules.query()).find(({ name }) => name === `spent ${world.id}`) ?? { id: "" };
  await api.alerts.updateRule.mutate({ id, threshold: 1_000 });
  const past = page
    .getByRole("table", { name: "Past incidents" })
    .getByRole("row")
    .filter({ hasText: `spent ${world.id}` });
  await expect(past).toBeVisible({ timeout: 30_000 });
  await expect(open).toHaveCount(0);
  expect(await flawsAtWidths(page, "alert-past")).toEqual([]);

  await page.getByRole("button", { name: `Remove spent ${world.id}` }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Remove" }).click();
  await page.getByRole("button", { name: `Remove hook ${world.id}` }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Remove" }).click();
  await expect(page.getByText("There are no channels yet")).toBeVisible();
});
