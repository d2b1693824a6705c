import { createServer, type Server } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { test as base, expect, type Page } from "@playwright/test";
import type { AppRouter } from "@sluice/api/router-type";
import { withTables } from "@sluice/core/packed-tables";
import { createTRPCClient, httpBatchLink } from "@trpc/client";
import superjson from "superjson";
import { admin, type Place, settingsPort, upstreamPort } from "./places.ts";

/** The console's API as an administrator, to create and remove what a spec needs. */
export type ApiClient = ReturnType<typeof createTRPCClient<AppRouter>>;

/** A provider, a user and a key for one spec, in a separate group: specs never see each other's traffic. */
export interface World {
  id: string;
  group: string;
  providerId: string;
  providerName: string;
  userId: string;
  userEmail: string;
  keyId: string;
  keyName: string;
  secret: string;
}

interface Fixtures {
  place: Place;
  api: ApiClient;
  world: World;
  /** A page signed in as the administrator. */
  adminPage: Page;
  /** For specs that change settings, one at a time: settings are global, and a roll-back undoes every later save. */
  settingsAlone: undefined;
}

async function login(consoleUrl: string, email: string, password: string): Promise<string> {
  const answer = await fetch(`${consoleUrl}/auth/login`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: consoleUrl },
    body: JSON.stringify({ email, password }),
  });
  if (!answer.ok) throw new Error(`sign-in failed: ${answer.status} ${await answer.text()}`);
  return answer.headers
    .getSetCookie()
    .map((cookie) => cookie.split(";")[0])
    .join("; ");
}

/** A typed client of the console's API for one user. */
export async function apiClient(place: Place, who: { email: string; password: string } = admin): Promise<ApiClient> {
  const cookie = await login(place.consoleUrl, who.email, who.password);
  return createTRPCClient<AppRouter>({
    links: [
      httpBatchLink({ url: `${place.consoleUrl}/trpc`, transformer: withTables(superjson), headers: { cookie, origin: place.consoleUrl } }),
    ],
  });
}

/** Signs a page in through the same route as the sign-in form. */
export async function signIn(page: Page, place: Place, who: { email: string; password: string } = admin): Promise<void> {
  const answer = await page.request.post(`${place.consoleUrl}/auth/login`, { data: who, headers: { origin: place.consoleUrl } });
  expect(answer.ok()).toBe(true);
}

/** Secret of the scripted upstream; an `@scenario` in it makes the provider misbehave. */
export const upstreamSecret = "sk-upstream-plain";
export const upstreamUrl = `http://127.0.0.1:${upstreamPort}`;

/**
 * Models of every world. Clients ask for priced names; the redirect adds the upstream's scenario, so that a test chooses how an answer
 * arrives by the model it asks for.
 */
export const models = {
  plain: "claude-sonnet-4-5",
  /** One second until the first content, then a word every 100 ms for three seconds. */
  slow: "claude-haiku-4-5",
  /** Content at once, then a word every 100 ms for five minutes: for requests that are cut before their end. */
  endless: "claude-sonnet-4-6",
  /** A 500 before any content. */
  failing: "claude-opus-4-5",
};
const modelRedirects = {
  [models.slow]: `${models.slow}@late,1000+long,30+slow,100`,
  [models.endless]: `${models.endless}@long,3000+slow,100`,
  [models.failing]: `${models.failing}@error-before,500`,
};

/** Creates a world; `remove` deletes everything again. */
export async function makeWorld(api: ApiClient): Promise<World & { remove(): Promise<void> }> {
  const id = Math.random().toString(36).slice(2, 10);
  const group = `g-${id}`;
  const provider = await api.providers.create.mutate({
    name: `provider ${id}`,
    dialect: "anthropic",
    baseUrl: upstreamUrl,
    secret: upstreamSecret,
    groups: [group],
    modelRedirects,
  });
  const user = await api.users.create.mutate({ email: `user-${id}@example.com`, name: `User ${id}`, password: `password-${id}` });
  const { key, secret } = await api.keys.create.mutate({ userId: user.id, name: `key ${id}`, group });
  return {
    id,
    group,
    providerId: provider.id,
    providerName: provider.name,
    userId: user.id,
    userEmail: user.email,
    keyId: key.id,
    keyName: key.name,
    secret,
    async remove() {
      await api.keys.revoke.mutate({ id: key.id });
      await api.users.update.mutate({ id: user.id, enabled: false });
      await api.providers.delete.mutate({ id: provider.id });
    },
  };
}

export const test = base.extend<Fixtures, { adminApi: Map<string, ApiClient> }>({
  place: [{ name: "", consoleUrl: "", gatewayUrl: "" }, { option: true }],
  // One sign-in per worker: sign-in is throttled, and there are many specs.
  adminApi: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the parameter's pattern
    async ({}, use) => {
      await use(new Map());
    },
    { scope: "worker" },
  ],
  baseURL: async ({ place }, use) => {
    await use(place.consoleUrl);
  },
  api: async ({ place, adminApi }, use) => {
    const client = adminApi.get(place.name) ?? (await apiClient(place));
    adminApi.set(place.name, client);
    await use(client);
  },
  world: async ({ api, context }, use) => {
    const world = await makeWorld(api);
    await use(world);
    // Pages close first: deleting their user signs them out and navigates, and Chromium sometimes never closes a page that is navigating.
    await Promise.all(context.pages().map((page) => page.close()));
    await world.remove();
  },
  adminPage: async ({ page, place }, use) => {
    await signIn(page, place);
    await use(page);
  },
  settingsAlone: [
    async ({ place: _ }, use) => {
      const turn = await takePort(settingsPort);
      await use(undefined);
      await new Promise((resolve) => turn.close(resolve));
    },
    { timeout: 180_000 },
  ],
});

/** Takes a port as a lock: one process at a time can hold it, and it is released when the process ends, for whatever reason. */
async function takePort(port: number): Promise<Server> {
  for (;;) {
    const server = createServer();
    const taken = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false)).listen(port, "127.0.0.1", () => resolve(true));
    });
    if (taken) return server;
    await sleep(200);
  }
}

export { expect };

export interface CallOptions {
  model?: string;
  stream?: boolean;
  session?: string;
  signal?: AbortSignal;
}

/** Calls the gateway like a client of Anthropic Messages. */
export function callMessages(place: Place, secret: string, options: CallOptions = {}): Promise<Response> {
  return fetch(`${place.gatewayUrl}/v1/messages`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-api-key": secret, "anthropic-version": "2023-06-01" },
    signal: options.signal ?? null,
    body: JSON.stringify({
      model: options.model ?? models.plain,
      max_tokens: 200,
      stream: options.stream ?? false,
      messages: [{ role: "user", content: "Say something." }],
      ...(options.session ? { metadata: { user_id: options.session } } : {}),
    }),
  });
}

/** Holds requests of the page to these addresses until released. */
export async function holdBack(page: Page, url: RegExp): Promise<() => void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  await page.route(url, async (route) => {
    await promise;
    await route.continue();
  });
  return resolve;
}

/**
 * Whether a request of the console loads rows: not its event stream, code and fonts, nor names and alerts, which neighbouring specs
 * cause.
 */
export function asksForRows(url: string): boolean {
  const { pathname } = new URL(url);
  return (
    pathname !== "/trpc/live.events" &&
    !/^\/(assets\/|favicon)/.test(pathname) &&
    !/^\/trpc\/((names\.list|alerts\.open),?)+$/.test(pathname)
  );
}
