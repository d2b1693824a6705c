import { callMessages, expect, signIn, test } from "./fixtures.ts";
import { flaws } from "./flaws.ts";

test("credit is given with a reason, seen at once by its user, spent by a request, and refused when it is gone", async ({
  adminPage: page,
  browser,
  place,
  world,
}, testInfo) => {
  const context = await browser.newContext({ baseURL: place.consoleUrl, viewport: { width: 390, height: 800 } });
  const own = await context.newPage();
  await signIn(own, place, { email: world.userEmail, password: `password-${world.id}` });
  await own.goto("/credits");
  await expect(own.getByText("No entries yet")).toBeVisible();
  await expect(own.getByRole("button", { name: "New entry" })).toHaveCount(0);

  await page.goto(`/credits?user=${world.userId}`);
  await page.getByRole("button", { name: "Terms" }).click();
  const terms = page.getByRole("dialog", { name: `Billing terms of User ${world.id}` });
  await terms.getByRole("combobox").selectOption("prepaid");
  await terms.getByRole("button", { name: "Save" }).click();
  await expect(terms).toBeHidden();
  const account = page.getByRole("region", { name: "Account" });
  await expect(account).toContainText("No credit left");
  expect((await callMessages(place, world.secret)).status).toBe(402);

  await page.getByRole("button", { name: "New entry" }).click();
  const dialog = page.getByRole("dialog", { name: `New entry for User ${world.id}` });
  await dialog.getByRole("button", { name: "Top up" }).click();
  await expect(dialog.getByRole("textbox", { name: "Amount, USD" })).toHaveAttribute("aria-invalid", "true");
  await dialog.getByRole("textbox", { name: "Amount, USD" }).fill("12.50");
  await dialog.getByRole("textbox", { name: "Reason" }).fill("Invoice 7");
  await dialog.getByRole("button", { name: "Top up" }).click();
  await expect(dialog).toBeHidden();
  await expect(account).toContainText("$12.50");
  // Pushed, without a request.
  await expect(own.getByRole("region", { name: "Account" })).toContainText("$12.50");
  await expect(own.getByRole("table", { name: "Credit log" })).toContainText("Invoice 7");

  const before = await account
    .getByText(/^\$12\.\d+$/)
    .first()
    .getAttribute("title");
  expect((await callMessages(place, world.secret)).status).toBe(200);
  await expect(account.getByText(/^\$12\.\d+$/).first()).not.toHaveAttribute("title", before ?? "");

  // Refunded where the failure is visible: the request's own page fills in the request and the amount.
  const refunded = await callMessages(place, world.secret);
  const requestId = String(refunded.headers.get("request-id"));
  await refunded.text();
  await page.goto(`/logs?log=${requestId}`);
  await page.getByRole("link", { name: "Refund" }).click();
  await expect(dialog.getByRole("textbox", { name: "Request ID" })).toHaveValue(requestId);
  await expect(dialog.getByRole("textbox", { name: "Amount, USD" })).toHaveValue(/^0\.0*[1-9]\d*$/);
  await dialog.getByRole("textbox", { name: "Reason" }).fill("Wrong answer");
  await page.screenshot({ path: testInfo.outputPath("refund.png"), animations: "disabled" });
  await dialog.getByRole("button", { name: "Refund" }).click();
  await expect(dialog).toBeHidden();
  const given = own.getByRole("row").filter({ hasText: "Wrong answer" });
  await expect(given).toContainText("Refund");
  await given.getByRole("link", { name: "Open the request" }).click();
  await expect(own.getByRole("complementary", { name: "Request" })).toContainText(requestId);
  await expect(own.getByRole("link", { name: "Refund" })).toHaveCount(0);
  await own.goBack();
  await expect(given).toBeVisible();

  for (const [where, name] of [
    [page, "credits"],
    [own, "credits-own"],
  ] as const) {
    expect(await flaws(where, name)).toEqual([]);
  }
  await page.goto("/users");
  await page.getByRole("searchbox").fill(`user-${world.id}`);
  await expect(page.getByRole("row").filter({ hasText: `User ${world.id}` })).toContainText("$12.");
  await page.screenshot({ path: testInfo.outputPath("users.png"), animations: "disabled" });
  await context.close();
});
