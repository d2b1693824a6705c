import type { BrowserContext, Page, Request } from "@playwright/test";
import { openLine } from "@sluice/testing/cut-line";
import { callMessages, expect, models, test } from "./fixtures.ts";

const state = (page: Page) => page.getByRole("status", { name: "Live state" });
const rows = (page: Page) => page.getByRole("table").locator("[data-id]");
const isStream = (request: Request): boolean => new URL(request.url()).pathname === "/trpc/live.events";

/** Open event streams of some pages, counted by the requests that the browser starts and ends. */
function countStreams(): { watch(page: Page): void; open(): Page[] } {
  const open = new Map<Request, Page>();
  const gone = (request: Request): unknown => open.delete(request);
  return {
    watch(page) {
      page.on("request", (request) => isStream(request) && open.set(request, page));
      page.on("requestfinished", gone);
      page.on("requestfailed", gone);
      page.on("close", () => {
        for (const [request, owner] of open) if (owner === page) open.delete(request);
      });
    },
    open: () => [...open.values()],
  };
}

test.describe("six tabs over HTTP/1.1 @live", () => {
  test("share one stream, all show what happens, and an ordinary query still answers; without the leader they go on", async ({
    adminPage,
    place,
    world,
  }) => {
    test.slow();
    const context = adminPage.context();
    const streams = countStreams();
    const tabs = [adminPage, ...(await Promise.all(Array.from({ length: 5 }, () => context.newPage())))];
    for (const tab of tabs) {
      streams.watch(tab);
      await tab.goto(`/logs?key=${world.keyId}`);
      await expect(state(tab)).toHaveText("Live");
    }
    expect(streams.open()).toHaveLength(1);

    await (await callMessages(place, world.secret)).text();
    for (const tab of tabs) {
      await expect(rows(tab)).toHaveCount(1);
      await expect(rows(tab).first()).toContainText("Done");
    }
    // Six streams would use up all connections that the browser allows to one server.
    const answer = await tabs[3]?.evaluate(() => fetch("/trpc/logins.current").then(({ status }) => status));
    expect(answer).toBe(200);

    const leader = streams.open()[0];
    await leader?.close();
    const rest = tabs.filter((tab) => tab !== leader);
    expect(rest).toHaveLength(5);
    // Sent while perhaps no tab leads: the next leader continues from the position where the last one stopped.
    for (let i = 0; i < 3; i++) await (await callMessages(place, world.secret)).text();
    for (const tab of rest) {
      await expect(rows(tab)).toHaveCount(4);
      await expect(state(tab)).toHaveText("Live");
    }
    expect(streams.open()).toHaveLength(1);
    await (await callMessages(place, world.secret)).text();
    for (const tab of rest) await expect(rows(tab)).toHaveCount(5);
  });
});

/** The topics that streams requested, in order. */
function askedTopics(context: BrowserContext): string[][] {
  const asked: string[][] = [];
  context.on("request", (request) => {
    if (!isStream(request)) return;
    const input = JSON.parse(new URL(request.url()).searchParams.get("input") ?? "{}") as { json?: { topics?: string[] } };
    asked.push(input.json?.topics ?? ["everything"]);
  });
  return asked;
}

test("the stream carries what open pages of all tabs need, and a page that opens or goes costs no event and no poll @live", async ({
  adminPage: page,
  place,
  world,
}) => {
  test.slow();
  const asked = askedTopics(page.context());
  await page.clock.install();
  await page.goto("/prices");
  await expect(state(page)).toHaveText("Live");
  expect(asked.at(-1)).toEqual([]);
  const states = await watchState(page);
  const visit = (name: string) => page.getByRole("navigation").getByRole("link", { name }).first().click();

  await visit("Sessions");
  await expect.poll(() => asked.at(-1)).toEqual(["sessions"]);
  const second = await page.context().newPage();
  await second.goto(`/logs?key=${world.keyId}`);
  await expect(state(second)).toHaveText("Live");
  await expect.poll(() => asked.at(-1)).toEqual(["logs", "sessions"]);
  await (await callMessages(place, world.secret)).text();
  await expect(rows(second)).toHaveCount(1);

  // Back and forth within a minute: the stream stays as it is.
  const streams = asked.length;
  await visit("Prices");
  await visit("Sessions");
  await visit("Prices");
  await (await callMessages(place, world.secret)).text();
  await expect(rows(second)).toHaveCount(2);
  expect(asked.length).toBe(streams);
  expect(await states()).toEqual(["Live"]);

  // After a minute the topic is dropped, leaving only the other tab's; the data it kept current is read again at the next visit.
  await page.clock.runFor(61_000);
  await expect.poll(() => asked.at(-1)).toEqual(["logs"]);
  await (await callMessages(place, world.secret)).text();
  await expect(rows(second)).toHaveCount(3);
  const list = page.waitForRequest(/sessions\.list/);
  await visit("Sessions");
  await list;
  await expect.poll(() => asked.at(-1)).toEqual(["logs", "sessions"]);
  await (await callMessages(place, world.secret)).text();
  await expect(rows(second)).toHaveCount(4);
});

/** The distinct texts of the live state from now on. */
async function watchState(page: Page): Promise<() => Promise<string[]>> {
  await page.evaluate(() => {
    const seen = new Set<string>();
    Object.assign(window, { seenStates: seen });
    const look = (): void => {
      const words = document.querySelector('[role="status"][aria-label="Live state"]')?.textContent;
      if (words) seen.add(words);
    };
    look();
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
  return () => page.evaluate(() => [...(window as unknown as { seenStates: Set<string> }).seenStates]);
}

/** Makes the page believe that more than a thousand requests start per second, of which one in four is shown. */
async function crowd(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const parse = JSON.parse;
    JSON.parse = (text, reviver) => {
      const value = parse(text, reviver);
      if (typeof value?.json?.serverNowMs !== "number") return value;
      value.json.sample = 4;
      const { events } = value.json;
      const begun = Array.isArray(events) && events.find(({ type }: { type: string }) => type === "request.started");
      if (!begun) return value;
      const others = Array.from({ length: 1_200 }, (_, at) => {
        const id = begun.row.id.slice(0, -8) + at.toString(16).padStart(8, "0");
        return { ...begun, row: { ...begun.row, id }, ...(at % 4 !== 0 && { aside: true }) };
      });
      value.json.events = [...others, ...events];
      return value;
    };
  });
}

for (const { language, words } of [
  { language: "en", words: "Sampled 1:4" },
  { language: "zh-CN", words: "采样 1:4" },
]) {
  test(`a log that is too busy shows a sample and says so: ${language}`, async ({ browser, adminPage, place, world }) => {
    const context = await browser.newContext({
      baseURL: place.consoleUrl,
      locale: language,
      storageState: await adminPage.context().storageState(),
    });
    const page = await context.newPage();
    await crowd(page);
    await page.goto(`/logs?key=${world.keyId}`);
    await expect(page.getByRole("status", { name: /Live state|实时状态/ })).toHaveText(/^(Live|实时)$/);
    // A frame that also contains events of other specs is packed and stays unchanged; a later one will do.
    await expect(async () => {
      await (await callMessages(place, world.secret, { model: models.slow, stream: true })).text();
      await expect(page.getByRole("status", { name: /Live state|实时状态/ })).toHaveText(words, { timeout: 2_000 });
    }).toPass();
    await context.close();
  });
}

/** Makes a page believe that it is hidden or visible. */
async function setHidden(page: Page, hidden: boolean): Promise<void> {
  await page.evaluate((now) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => now });
    Object.defineProperty(document, "visibilityState", { configurable: true, get: () => (now ? "hidden" : "visible") });
    document.dispatchEvent(new Event("visibilitychange"));
  }, hidden);
}

test.describe("H21 a hidden tab", () => {
  test("has no stream and asks nothing after a minute; seen again it catches up by replay", async ({ adminPage: page, place, world }) => {
    const streams = countStreams();
    streams.watch(page);
    await page.clock.install();
    await page.goto(`/logs?key=${world.keyId}`);
    await expect(state(page)).toHaveText("Live");
    await (await callMessages(place, world.secret)).text();
    await expect(rows(page)).toHaveCount(1);

    await setHidden(page, true);
    await page.clock.fastForward(61_000);
    await expect(state(page)).toHaveText("Asleep");
    await expect.poll(() => streams.open()).toHaveLength(0);
    const asked: string[] = [];
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    for (let i = 0; i < 3; i++) await (await callMessages(place, world.secret)).text();
    await page.clock.fastForward(10 * 60_000);
    expect(asked).toEqual([]);
    await expect(rows(page)).toHaveCount(1);

    await setHidden(page, false);
    await expect(rows(page)).toHaveCount(4, { timeout: 5_000 });
    await expect(state(page)).toHaveText("Live");
    // The replay also reports providers and keys that other specs created meanwhile: only their names are read again.
    expect(asked.filter((path) => path !== "/trpc/names.list")).toEqual(["/trpc/live.events"]);
    expect(streams.open()).toHaveLength(1);
  });
});

test("the state of the connection is in words, and a line that is back is used at once", async ({ adminPage: page, place, world }) => {
  const line = await openLine(place.consoleUrl);
  await page.goto(`${line.url}/logs?key=${world.keyId}`);
  await expect(state(page)).toHaveText("Live");
  await line.cut();
  await expect(state(page)).toHaveText(/^Reconnecting( in \d+ s)?$/);
  await (await callMessages(place, world.secret)).text();
  await expect(state(page)).toHaveText(/^Offline, as of \d\d:\d\d:\d\d$/, { timeout: 60_000 });
  await line.mend();
  // By now the next attempt is many seconds away; the browser's "online" event triggers one earlier.
  await page.evaluate(() => window.dispatchEvent(new Event("online")));
  await expect(state(page)).toHaveText("Live", { timeout: 5_000 });
  await expect(rows(page)).toHaveCount(1);
  await line.cut();
});
