import { callMessages, expect, models, test } from "./fixtures.ts";
import { addProvider } from "./providers-page.ts";

test("the simulator says where the next request goes, and that is where it goes", async ({ adminPage: page, api, place, world }) => {
  const other = await addProvider(api, world, `later ${world.id}`, { priority: 5 });
  await page.goto("/providers");
  await page.getByRole("button", { name: "Simulate" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("As", { exact: true }).selectOption(world.keyId);
  await dialog.getByLabel("Model").fill(models.plain);
  const answer = dialog.getByRole("region", { name: "Decision" });
  const wentTo = async (): Promise<string> => {
    await (await callMessages(place, world.secret, { session: `user_a_account__session_${crypto.randomUUID()}` })).text();
    const { items } = await api.logs.list.query({ filter: { keyId: world.keyId }, limit: 1 });
    return items[0]?.providerId ?? "";
  };
  await dialog.getByRole("button", { name: "Simulate" }).click();
  await expect(answer).toContainText(`The request would go to ${world.providerName}.`);
  await expect.poll(wentTo).toBe(world.providerId);
  await api.providers.override.mutate({ id: world.providerId, kind: "open", forSeconds: 300 });
  await dialog.getByRole("button", { name: "Simulate" }).click();
  await expect(answer).toContainText(`The request would go to ${other.name}.`);
  await expect(answer).toContainText("forced open by an administrator");
  await expect.poll(wentTo).toBe(other.id);
  await other.remove();
});
