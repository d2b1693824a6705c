import { asksForRows, callMessages, expect, test } from "./fixtures.ts";
import { flawsAtWidths } from "./flaws.ts";
import { drawer, openLogs, rows } from "./log-page.ts";

test("H13: the overview and the ledger say up to when figures are settled, by push", async ({ adminPage: page, place, world }) => {
  await (await callMessages(place, world.secret)).text();
  await page.goto("/system/ledger");
  const said = page.getByText(/Figures settled up to \d\d:\d\d:\d\d, [\d.]+ m?s behind/);
  await expect(said).toBeVisible();
  await page.goto("/overview");
  await expect(said).toBeVisible();
  await expect(page.getByRole("status", { name: "Live state" })).toHaveText("Live");
  const asked: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  const before = await said.textContent();
  await expect(said).not.toHaveText(before ?? "");
  expect(asked.filter(asksForRows)).toEqual([]);
});

test("requests are priced anew from the prices page, and the log tells what was corrected and why", async ({
  adminPage: page,
  api,
  place,
  world,
}) => {
  // Two tabs, and six pages checked twice.
  test.slow();
  const model = `priced-${world.id}`;
  await api.prices.set.mutate({ model, inputPerMTok: "3", outputPerMTok: "15" });
  // The gateway is another process: it learns the price a moment later, and refuses until then.
  await expect.poll(async () => (await callMessages(place, world.secret, { model })).status).toBe(200);
  await openLogs(page, world);
  await expect.poll(async () => (await api.logs.list.query({ filter: { keyId: world.keyId } })).items[0]?.state).toBe("done");
  const logs = page;
  await rows(logs).first().click();
  await expect(drawer(logs)).toContainText("Usage and cost");
  await expect(drawer(logs).getByText("Originally billed")).toBeHidden();

  await api.prices.set.mutate({ model, inputPerMTok: "6", outputPerMTok: "30" });
  const prices = await page.context().newPage();
  await prices.goto("/prices");
  await prices.getByRole("searchbox", { name: "Search models" }).fill(model);
  await prices.getByRole("button", { name: `Reprice requests for ${model}` }).click();
  const dialog = prices.getByRole("dialog", { name: `Reprice requests for ${model}` });
  await expect(dialog.getByLabel("Version").getByRole("option")).toHaveCount(2);
  await dialog.getByLabel("From").fill("2099-01-01T00:00");
  await dialog.getByRole("button", { name: "Preview" }).click();
  await expect(dialog.getByText("Enter a start and a later end.")).toBeVisible();
  await dialog.getByLabel("From").fill("2026-01-01T00:00");
  // The request is settled within seconds.
  await expect(async () => {
    await dialog.getByLabel("Version").selectOption({ index: 1 });
    await dialog.getByLabel("Version").selectOption({ index: 0 });
    await dialog.getByRole("button", { name: "Preview" }).click();
    await expect(dialog.getByRole("region", { name: "Preview" })).toContainText(/Requests1Changed1/, { timeout: 1_000 });
  }).toPass();
  await expect(dialog.getByRole("region", { name: "Preview" })).toContainText(/Difference\+\$0\./);
  expect(await flawsAtWidths(prices, "reprice")).toEqual([]);
  await dialog.getByRole("button", { name: "Reprice 1 request" }).click();
  const order = prices.getByRole("table", { name: "Repricing history" }).getByRole("row").filter({ hasText: model });
  await expect(order).toContainText("Done");
  await expect(order).toContainText("1 / 1");
  await expect(order).toContainText("+$0.");
  expect(await flawsAtWidths(prices, "repricings")).toEqual([]);

  // The drawer that was open all along has been updated.
  await expect(drawer(logs)).toContainText("1 correction");
  await expect(drawer(logs)).toContainText("Repriced · ");
  await expect(drawer(logs)).toContainText("$3 / $15 → $6 / $30");
  await expect(rows(logs).first().getByRole("img", { name: "Repriced: the cost was corrected" })).toBeVisible();
  await expect(drawer(logs).getByText("Multipliers")).toBeHidden();
  await drawer(logs).getByText("Originally billed").scrollIntoViewIfNeeded();
  expect(await flawsAtWidths(logs, "corrections")).toEqual([]);

  // The same in the other language and the dark theme.
  await logs.emulateMedia({ colorScheme: "dark" });
  await logs.evaluate(() => localStorage.setItem("sluice.language", "zh-CN"));
  await logs.reload();
  await logs.getByText("最初计费").scrollIntoViewIfNeeded();
  expect(await flawsAtWidths(logs, "corrections-zh")).toEqual([]);
  for (const [path, text] of [
    ["/prices", "重新定价记录"],
    ["/system/ledger", "数据保留"],
  ] as const) {
    await logs.goto(path);
    await expect(logs.getByText(text, { exact: true }).first()).toBeVisible();
    expect(await flawsAtWidths(logs, `zh${path.replaceAll("/", "-")}`)).toEqual([]);
  }
});

test("the ledger page says what is kept how long and what goes next", async ({ adminPage: page, api }) => {
  const { next } = await api.system.retention.query();
  await page.goto("/system/ledger");
  const card = page.getByRole("region", { name: "Retention" });
  await expect(card).toContainText("Requests90 days");
  await expect(card).toContainText("Hourly and daily rollupsforever");
  expect(next.map(({ table }) => table).sort()).toEqual(["request_details", "requests"]);
  await expect(card).toContainText(/Requests of \w+ 20\d\d are deleted on \w+ \d+, 20\d\d, [\d.]+ [kM]?B\./);
  await expect(card).toContainText("Nothing is archived before it is deleted.");
  await card.scrollIntoViewIfNeeded();
  expect(await flawsAtWidths(page, "retention")).toEqual([]);
});

test("percentiles are read when somebody wants them, on the overview and of a provider", async ({ adminPage: page, place, world }) => {
  await (await callMessages(place, world.secret)).text();
  await page.goto("/overview");
  const own = page.getByRole("article", { name: world.providerName, exact: true });
  await page.getByRole("button", { name: "Latency percentiles" }).click();
  await expect(page.getByRole("table", { name: "Percentiles, 24 hours" })).toContainText(/Duration\d/);
  expect(await flawsAtWidths(page, "overview-percentiles")).toEqual([]);
  await page.goto("/providers");
  await own.getByRole("button", { name: "Latency percentiles" }).click();
  await expect(own.getByRole("table", { name: "Percentiles, 7 days" })).toContainText(/Duration(\d|—)/);
  expect(await flawsAtWidths(page, "provider-percentiles")).toEqual([]);
});
