import { callMessages, expect, models, signIn, test } from "./fixtures.ts";

test("who has a key only signs in with it, and sees what came by that key as it happens", async ({ page, api, place, world }) => {
  const { secret: other } = await api.keys.create.mutate({ userId: world.userId, name: `other ${world.id}`, group: world.group });
  await page.goto("/login");
  await page.getByRole("button", { name: "Sign in with an API key" }).click();
  await page.getByLabel("API key").fill(world.secret);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page).toHaveURL(/\/keys$/);
  await expect(page.getByRole("table", { name: "Keys" })).toContainText(world.keyName);
  await expect(page.getByRole("table", { name: "Keys" })).not.toContainText(`other ${world.id}`);
  await expect(page.getByRole("button", { name: "Create key" })).toHaveCount(0);

  const places = page.getByRole("navigation", { name: "Main" }).first();
  for (const name of ["Overview", "Credit", "Providers", "Users"]) await expect(places.getByRole("link", { name })).toHaveCount(0);
  await places.getByRole("link", { name: "Logs" }).click();
  const rows = page.getByRole("table", { name: "Requests" }).locator("[data-id]");
  await (await callMessages(place, other)).text();
  await (await callMessages(place, world.secret)).text();
  await expect(rows).toHaveCount(1);

  await api.keys.revoke.mutate({ id: world.keyId });
  await expect(page).toHaveURL(/\/login/);
});

test("who has a key only is shown nothing that takes an account, and no name that the key may not see", async ({ page, place, world }) => {
  const answer = await page.request.post(`${place.consoleUrl}/auth/key-login`, {
    data: { key: world.secret },
    headers: { origin: place.consoleUrl },
  });
  expect(answer.ok()).toBe(true);
  await page.goto("/logs");
  await expect(page.getByRole("heading", { name: "Waiting for the first request" })).toBeVisible();
  await expect(page.getByRole("tab", { name: "Claude Code" })).toBeVisible();
  await expect(page.getByRole("link", { name: "Create key" })).toHaveCount(0);

  await (await callMessages(place, world.secret, { session: `user_a_account__session_${crypto.randomUUID()}` })).text();
  await page.getByRole("table", { name: "Requests" }).locator("[data-id]").click();
  const request = page.getByRole("complementary", { name: "Request" });
  await expect(request.getByText(world.keyName)).toBeVisible();
  await expect(request.getByText("User", { exact: true })).toHaveCount(0);
  await page.goto("/sessions");
  const session = page.getByRole("row").filter({ hasText: world.keyName });
  await expect(session).toBeVisible();
  await expect(page.getByRole("columnheader", { name: "User and key" })).toHaveCount(0);
  await expect(session).not.toContainText(world.userId.slice(-8));
});

test("charts and cells of a user without credit say what they know", async ({ page, api, place, world }) => {
  await api.credits.updateAccount.mutate({ userId: world.userId, billing: "prepaid" });
  await api.keys.update.mutate({ id: world.keyId, rpm: 100_000, tpm: 100_000_000, costDayUsd: "1234.5678", costMonthUsd: "12345.6789" });
  await expect.poll(async () => (await callMessages(place, world.secret)).status).toBe(402);
  await signIn(page, place, { email: world.userEmail, password: `password-${world.id}` });
  await page.goto("/overview");
  const chart = (name: string) => page.getByRole("figure", { name });
  await expect(chart("Requests by model").getByRole("img")).toHaveAccessibleName(new RegExp(`${models.plain}: \\d`));
  // There were requests; they cost nothing.
  await expect(chart("Cost by model")).toContainText("No data in this range");

  await page.goto("/keys");
  const limits = page
    .getByRole("row")
    .filter({ hasText: world.keyName })
    .getByText(/12345.6789 per month/);
  await expect(limits).toBeVisible();
  const cut = await limits.evaluate((text) => {
    const cell = text.closest("[role=cell]")?.getBoundingClientRect();
    return cell !== undefined && text.getBoundingClientRect().right <= cell.right + 1;
  });
  expect(cut).toBe(true);
});

test("an error explains itself with the figures of its request", async ({ page, api, place, world }) => {
  // Enough for one request at its maximum cost, but not on top of what a few requests have cost.
  await api.keys.update.mutate({ id: world.keyId, costWeekUsd: "0.004" });
  let refused = await callMessages(place, world.secret);
  await expect(async () => {
    refused = await callMessages(place, world.secret);
    expect(refused.status).toBe(429);
  }).toPass();
  const answer = await page.request.post(`${place.consoleUrl}/auth/key-login`, {
    data: { key: world.secret },
    headers: { origin: place.consoleUrl },
  });
  expect(answer.ok()).toBe(true);
  await page.goto(`/logs?log=${refused.headers.get("request-id")}`);
  const drawer = page.getByRole("complementary", { name: "Request" });
  await expect(drawer.getByText(`Cost per week of key ${world.keyName}`)).toBeVisible();
  await expect(drawer.getByText(/^Available again \w+day \d\d:\d\d$/)).toBeVisible();
  await drawer.getByRole("link", { name: "All errors" }).click();
  await expect(page).toHaveURL(/\/errors\?code=cost_limited/);
  await expect(page.getByRole("listitem").filter({ hasText: "cost_limited" })).toHaveAttribute("aria-current", "true");
});

test("the REST API page shows a key the operations it may call, with a call that works", async ({ page, place, world }) => {
  const answer = await page.request.post(`${place.consoleUrl}/auth/key-login`, {
    data: { key: world.secret },
    headers: { origin: place.consoleUrl },
  });
  expect(answer.ok()).toBe(true);
  await page.goto("/api?q=keys");
  await expect(page.getByText("/keys/{id}/limits")).toBeVisible();
  // Changing keys requires signing in, and users an administrator.
  await expect(page.getByText("POST", { exact: true })).toHaveCount(0);
  await page.getByRole("searchbox").fill("users");
  await expect(page.getByText("/users/pages")).toHaveCount(0);

  await page.getByRole("searchbox").fill("listKeys");
  await page.getByText("List keys by cursor").click();
  await expect(page).toHaveURL(/op=listKeys/);
  const figure = page.getByRole("figure").filter({ hasText: "curl" });
  const call = await figure.locator("code").innerText();
  const [url = "", header = ""] = [/(http\S+)/.exec(call)?.[1], /authorization: (Bearer )/.exec(call)?.[1]];
  const called = await fetch(url, { headers: { authorization: header + world.secret } });
  expect(((await called.json()) as { items: { id: string }[] }).items.map(({ id }) => id)).toEqual([world.keyId]);
  await page.getByText("Response · 200").click();
  await expect(page.getByRole("figure").filter({ hasText: "TypeScript" })).toContainText("items: {");
});

test("text typed at the beginning of a search stays there", async ({ adminPage: page }) => {
  for (const path of ["/errors", "/api"]) {
    await page.goto(`${path}?q=limit`);
    const search = page.getByRole("main").getByRole("searchbox");
    await expect(search).toHaveValue("limit");
    await search.press("Home");
    await search.pressSequentially("cost ");
    await expect(page).toHaveURL(`${path}?q=cost+limit`);
    await expect(search).toHaveValue("cost limit");
  }
});
