import { asksForRows, expect, test } from "./fixtures.ts";
import { flawsAtWidths } from "./flaws.ts";

test("P14, R15 and R16: the caches' figures move by push; one is cleared and its next reading computes; counting begins anew", async ({
  adminPage: page,
  api,
}) => {
  const read = () => api.overview.latency.query({ range: "7d" });
  await read();
  await page.goto("/system");
  const row = page.getByRole("table", { name: "Caches by kind of result" }).getByRole("row").filter({ hasText: "Overview" });
  const count = async (name: string): Promise<number> =>
    Number((await row.locator(`td[data-label="${name}"]`).textContent())?.replaceAll(",", ""));
  await expect(page.getByRole("status", { name: "Live state" })).toHaveText("Live");
  const asked: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  const hits = await count("Hits");
  for (let at = 0; at < 3; at++) await read();
  await expect.poll(() => count("Hits"), { timeout: 30_000 }).toBeGreaterThan(hits);
  expect(asked.filter(asksForRows)).toEqual([]);

  expect((await read()).cache).toBe("hit");
  await row.getByRole("button", { name: "Clear: Overview" }).click();
  await expect(page.getByText(/entr(y|ies) cleared/)).toBeVisible();
  expect((await read()).cache).toBe("miss");
  const entry = (await api.audit.list.query({ filter: { action: "cache.clear" } })).items[0];
  expect(entry).toMatchObject({ targetKind: "cache", targetId: "dashboard", outcome: "done" });

  expect(await flawsAtWidths(page, "caches")).toEqual([]);
  await page.getByRole("button", { name: "Reset counters" }).click();
  await expect(page.getByText("Counters reset")).toBeVisible();
  expect((await api.audit.list.query({ filter: { action: "cache.reset-figures" } })).items).not.toEqual([]);
});
