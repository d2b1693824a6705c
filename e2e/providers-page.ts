import { expect, type Locator, type Page } from "@playwright/test";
import { type ApiClient, upstreamSecret, upstreamUrl, type World } from "./fixtures.ts";

export const card = (page: Page, name: string): Locator => page.getByRole("article", { name, exact: true });

/** Chooses an action from the menu of a provider's card. */
export async function act(page: Page, name: string, action: string): Promise<void> {
  await card(page, name)
    .getByRole("button", { name: /More actions/ })
    .click();
  const item = page.getByRole("menuitem", { name: action });
  await item.click();
  // While the menu fades out, that of another card would be a second one.
  await expect(item).toBeHidden();
}

/** A second provider in the world's group; removing the world does not remove it. */
export async function addProvider(api: ApiClient, world: World, name: string, more: { priority?: number; weight?: number } = {}) {
  const fields = { dialect: "anthropic" as const, baseUrl: upstreamUrl, secret: upstreamSecret, groups: [world.group] };
  const { id } = await api.providers.create.mutate({ ...fields, name, ...more });
  return { id, name, remove: () => api.providers.delete.mutate({ id }).catch(() => undefined) };
}
