import { expect, holdBack, test, upstreamUrl } from "./fixtures.ts";

function table(entries: Record<string, readonly [input: number, output: number]>): string {
  const entry = ([input, output]: readonly [number, number]) => ({
    ...{ litellm_provider: "anthropic", mode: "chat", input_cost_per_token: input, output_cost_per_token: output },
  });
  return JSON.stringify({
    ...Object.fromEntries(Object.entries(entries).map(([model, costs]) => [model, entry(costs)])),
    "a-picture-model": { litellm_provider: "openai", mode: "image_generation", input_cost_per_token: 1, output_cost_per_token: 1 },
  });
}

test("a price table is previewed, applied, and makes versions", async ({ adminPage: page, world }) => {
  const model = `imported-${world.id}`;
  await page.goto("/prices");
  const dialog = page.getByRole("dialog", { name: "Import price table" });
  const row = page.getByRole("table", { name: "Prices" }).getByRole("row").filter({ hasText: model });
  const paste = async (text: string): Promise<void> => {
    await page.getByRole("button", { name: "Import", exact: true }).click();
    await dialog.getByLabel("Or paste its contents").fill(text);
    await dialog.getByRole("button", { name: "Preview" }).click();
  };

  await paste("{\n not json");
  await expect(dialog.getByRole("alert")).toContainText("The file is not valid JSON (line 2)");
  await page.keyboard.press("Escape");

  await paste(table({ [model]: [3e-6, 1.5e-5] }));
  await expect(dialog).toContainText("0 changed · 1 new · 0 unchanged · 1 skipped");
  await expect(dialog).toContainText("not priced by text tokens");
  await expect(row).toHaveCount(0);
  await dialog.getByRole("button", { name: "Apply 1 change" }).click();
  await expect(dialog).toBeHidden();
  await page.getByRole("searchbox", { name: "Search models" }).fill(model);
  await expect(row).toContainText("$3");
  await expect(row).toContainText("Imported");

  await page.getByRole("button", { name: "Import", exact: true }).click();
  await dialog.getByLabel("File").setInputFiles({
    name: "prices.json",
    mimeType: "application/json",
    buffer: Buffer.from(table({ [model]: [4.25e-6, 1.5e-5] })),
  });
  await expect(dialog).toContainText("prices.json");
  await dialog.getByRole("button", { name: "Preview" }).click();
  await expect(dialog.locator("del")).toHaveText("$3");
  await expect(dialog.locator("ins")).toHaveText("$4.25");
  await dialog.getByRole("button", { name: "Apply 1 change" }).click();
  await expect(row).toContainText("$4.25");

  await row.getByRole("button", { name: `Price of ${model}` }).click();
  const form = page.getByRole("dialog", { name: `Price of ${model}` });
  await form.getByLabel("Output", { exact: true }).fill("20");
  await form.getByRole("button", { name: "Save" }).click();
  await expect(row).toContainText("Console");
  await row.getByRole("button", { name: `Versions of ${model}` }).click();
  const versions = page.getByRole("dialog", { name: `Versions of ${model}` });
  await expect(versions.locator("ol > li")).toHaveCount(3);
  await expect(versions.locator("ol > li").first()).toContainText("In force");
  await expect(versions.locator("ol > li").first().locator("ins")).toHaveText("$20");
});

test("of a table that is only partly drawn, the first rows are the first in the chosen order", async ({ adminPage: page, api, world }) => {
  // Last in the order of names: other specs look for theirs among the first.
  const model = `zzz-${world.id}`;
  const many = Array.from({ length: 200 }, (_, at) => [`zz-${world.id}-${at}`, [1e-6, 1e-6]] as const);
  await api.prices.import.mutate({ text: table({ ...Object.fromEntries(many), [model]: [0.9, 1e-6] }), apply: true });
  await page.goto("/prices");
  const rows = page.getByRole("table", { name: "Prices" }).getByRole("row");
  await expect(page.getByRole("button", { name: /^Show \d+ more/ })).toBeVisible();
  await expect(rows).toHaveCount(201);
  await page.getByRole("columnheader", { name: "Model" }).getByRole("button").click();
  await expect(rows.nth(1)).toContainText(model);
  await page.getByRole("columnheader", { name: "Input" }).getByRole("button").click();
  await expect(rows.nth(1)).toContainText(model);
});

test("a save that outlives its form does not close the form that was opened after it", async ({ adminPage: page, world }) => {
  await page.goto("/prices");
  const release = await holdBack(page, /prices\.set/);
  const form = page.getByRole("dialog", { name: "Set a price" });
  await page.getByRole("button", { name: "Set price" }).click();
  await form.getByLabel("Model").fill(`slow-${world.id}`);
  await form.getByLabel("Input", { exact: true }).fill("1");
  await form.getByLabel("Output", { exact: true }).fill("1");
  await form.getByRole("button", { name: "Save" }).click();
  await page.keyboard.press("Escape");
  await expect(form).toBeHidden();
  await page.getByRole("button", { name: "Set price" }).click();
  await form.getByLabel("Model").fill(`next-${world.id}`);
  release();
  await expect(page.getByText("Saved", { exact: true })).toBeVisible();
  await expect(form.getByLabel("Model")).toHaveValue(`next-${world.id}`);
});

test("an import that outlives its dialog does not close the one that was opened after it", async ({ adminPage: page, world }) => {
  await page.goto("/prices");
  const dialog = page.getByRole("dialog", { name: "Import price table" });
  const open = page.getByRole("button", { name: "Import", exact: true });
  const pasted = dialog.getByLabel("Or paste its contents");
  await open.click();
  await pasted.fill(table({ [`slow-${world.id}`]: [1e-6, 1e-6] }));
  await dialog.getByRole("button", { name: "Preview" }).click();
  const apply = dialog.getByRole("button", { name: "Apply 1 change" });
  await expect(apply).toBeEnabled();
  const release = await holdBack(page, /prices\.import/);
  await apply.click();
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
  await open.click();
  await pasted.fill("half of a table");
  release();
  await expect(page.getByText("Prices imported")).toBeVisible();
  await expect(pasted).toHaveValue("half of a table");
});

test("refreshing by hand says what it did, and a source that fails leaves the prices as they are", async ({
  adminPage: page,
  api,
  settingsAlone: _,
}) => {
  try {
    await page.goto("/prices");
    const source = page.getByRole("region", { name: "Source" });
    await source.getByRole("button", { name: "Refresh now" }).click();
    await expect(page.getByText(/Prices are up to date/)).toBeVisible();
    await expect(source).toContainText(/Refreshed .* Version 20/);

    const before = await api.prices.list.query();
    await api.settings.update.mutate({ "pricing.sourceUrl": `${upstreamUrl}/no-such-table.json` });
    await expect(source).toContainText("no-such-table.json");
    await source.getByRole("button", { name: "Refresh now" }).click();
    await expect(source.getByRole("alert")).toContainText("The current prices stay in force");
    await expect(source.getByRole("alert")).toContainText(/The source responded with status 40\d/);
    const shipped = (prices: typeof before) => prices.filter(({ source }) => source.startsWith("shipped"));
    expect(shipped(await api.prices.list.query())).toEqual(shipped(before));
  } finally {
    await api.settings.update.mutate({ "pricing.sourceUrl": "" });
  }
});
