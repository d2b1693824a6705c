import { readFile } from "node:fs/promises";
import type { Page } from "@playwright/test";
import { expect, models, test } from "./fixtures.ts";
import { makeRequests, openLogs, rows } from "./log-page.ts";

/** Exports what the page shows and returns the file's text. */
async function exported(page: Page, format: "CSV" | "JSON", choose?: () => Promise<void>): Promise<string> {
  await page.getByRole("button", { name: "Export" }).click();
  const dialog = page.getByRole("dialog", { name: "Export requests" });
  await dialog.getByRole("radio", { name: format }).check();
  await choose?.();
  const download = page.waitForEvent("download");
  await dialog.getByRole("button", { name: "Export", exact: true }).click();
  const file = await download;
  expect(file.suggestedFilename()).toMatch(new RegExp(`^sluice-logs-.*\\.${format.toLowerCase()}$`));
  await expect(dialog.getByRole("status")).toContainText(/rows saved/);
  await page.keyboard.press("Escape");
  return readFile(await file.path(), "utf8");
}

test("an export holds exactly what the filter shows, as JSON and as CSV", async ({ adminPage: page, place, world, api }) => {
  const ids = await makeRequests(place, world, [models.plain, models.failing, models.plain, models.plain]);
  // Settled, not merely ended: an export contains only stored requests.
  const stored = async () =>
    (await (await page.request.get(`/export/logs.json?filter=${JSON.stringify({ keyId: world.keyId })}`)).json()) as object[];
  await openLogs(page, world, `&notModel=${models.failing}`);
  await expect(rows(page)).toHaveCount(3);
  await expect.poll(async () => (await stored()).length).toBe(4);
  const wanted = [ids[3], ids[2], ids[0]];
  const json = JSON.parse(await exported(page, "JSON")) as { id: string; cost_usd: string; key: string; model: string }[];
  expect(json.map(({ id }) => id)).toEqual(wanted);
  const listed = await api.logs.list.query({ filter: { keyId: world.keyId, notModel: [models.failing] } });
  expect(listed.items.map(({ id }) => id)).toEqual(wanted);
  const nano = BigInt(listed.items[0]?.costNanoUsd ?? 0);
  expect(json[0]).toMatchObject({ key: world.keyName, model: models.plain, cost_usd: expect.stringMatching(/^0\.\d+$/) });
  expect(BigInt(Math.round(Number(json[0]?.cost_usd) * 1e9))).toBe(nano);

  const csv = await exported(page, "CSV", async () => {
    await page.getByRole("button", { name: "None" }).click();
    for (const name of ["id", "model"]) await page.getByRole("checkbox", { name, exact: true }).check();
  });
  expect(csv.replace("\ufeff", "").trim().split("\r\n")).toEqual(["id,model", ...wanted.map((id) => `${id},${models.plain}`)]);
});
