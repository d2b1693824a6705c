import { expect, test } from "./fixtures.ts";

// A separate user: signing out ends all streams of a user, and the other specs use the administrator.
test("signing in leads to the log, signing out back, and a wrong password says so", async ({ page, world }) => {
  await page.goto("/logs");
  await expect(page).toHaveURL(/\/login/);
  await page.getByLabel("E-mail").fill(world.userEmail);
  await page.getByLabel("Password").fill("not the password");
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page.getByRole("alert")).toContainText("wrong");
  await page.getByLabel("Password").fill(`password-${world.id}`);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page).toHaveURL(/\/logs/);
  await page.getByRole("button", { name: "Account" }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await expect(page).toHaveURL(/\/login/);
});

test("an empty address is required, and one without a domain is not valid", async ({ page }) => {
  await page.goto("/login");
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page.getByText("Required", { exact: true })).toHaveCount(2);
  await page.getByLabel("E-mail").fill("ada");
  await expect(page.getByText("Not a valid e-mail address")).toBeVisible();
});
