import type { Page } from "@playwright/test";
import { asksForRows, callMessages, expect, holdBack, models, test, type World } from "./fixtures.ts";
import { flaws } from "./flaws.ts";
import type { Place } from "./places.ts";

/*
 * H05: active sessions are pushed. In the arrangements under test sessions become inactive after 4 s (config.yaml). What is promised within
 * a second gets five here.
 */
const promised = { timeout: 5_000 };

const live = (page: Page) => expect(page.getByRole("status", { name: "Live state" })).toHaveText("Live");
const rowOf = (page: Page, text: string) => page.getByRole("table", { name: "Active sessions" }).getByRole("row").filter({ hasText: text });
const newSession = () => `user_x_account__session_${crypto.randomUUID()}`;

async function openSessions(page: Page, search = ""): Promise<void> {
  await page.goto(`/sessions${search}`);
  await live(page);
}

/** The text of a stream that takes some seconds, or of one that runs until it is cut. */
function stream(place: Place, world: World, { session = newSession(), model = models.endless } = {}): Promise<string> {
  return callMessages(place, world.secret, { session, model, stream: true }).then((answer) => answer.text());
}

test.describe("H05 sessions @live", () => {
  test("a session appears with its first request, counts, ends when its window is over, and then leaves", async ({
    adminPage: page,
    place,
    world,
  }) => {
    await openSessions(page);
    const row = rowOf(page, world.keyName);
    await expect(row).toHaveCount(0);
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));

    const session = newSession();
    const slow = stream(place, world, { session, model: models.slow });
    await expect(row).toHaveCount(1, promised);
    await expect(row).toContainText(world.providerName);
    await expect(row).toContainText("only candidate, since");
    await slow;
    await (await callMessages(place, world.secret, { session })).text();
    await expect(row.getByRole("cell", { name: "2", exact: true })).toBeVisible();
    await expect(row).toContainText("sticky since");
    await expect(row).toContainText("$");
    await expect(row).toContainText("Ended", { timeout: 4_000 + promised.timeout });
    await expect(row).toHaveCount(0);
    expect(asked.filter(asksForRows)).toEqual([]);
  });

  test("the list is searched and filtered by its address", async ({ adminPage: page, place, world }) => {
    const endless = stream(place, world);
    await openSessions(page, `?key=${world.keyId}`);
    await expect(rowOf(page, world.keyName)).toHaveCount(1);
    await page.keyboard.press("/");
    await page.keyboard.type("nobody at all");
    await expect(page.getByText("Nothing matches")).toBeVisible();
    await expect(page).toHaveURL(/q=nobody/);
    await page.getByRole("button", { name: "Clear filters" }).first().click();
    await expect(rowOf(page, world.keyName)).toHaveCount(1);
    await openSessions(page, `?q=${encodeURIComponent(world.keyName)}`);
    await expect(page.getByRole("table", { name: "Active sessions" }).locator("[data-session]")).toHaveCount(1);
    await page.getByRole("button", { name: /^Terminate session/ }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Terminate" }).click();
    await endless;
  });

  test("its detail says why it is there and cancels a request in flight", async ({ adminPage: page, place, world }) => {
    await openSessions(page, `?key=${world.keyId}`);
    const endless = stream(place, world);
    await expect(rowOf(page, world.keyName)).toHaveCount(1);
    await page.keyboard.press("j");
    await page.keyboard.press("Enter");
    const drawer = page.getByRole("complementary", { name: "Session" });
    await expect(drawer).toContainText("Why this provider");
    await expect(drawer).toContainText(world.providerName);
    await drawer.getByRole("button", { name: "Cancel request" }).click();
    await expect(drawer).toContainText("Error");
    expect(await endless).toContain('"code":"cancelled"');
    await drawer.getByRole("link", { name: "All requests of this session in the logs" }).click();
    await expect(page).toHaveURL(/\/logs\?.*session=/);
    await expect(page.getByRole("table", { name: "Requests" }).locator("[data-id]")).toHaveCount(1);
  });

  test("terminating it cuts its streams and ends it", async ({ adminPage: page, place, world }) => {
    await openSessions(page, `?key=${world.keyId}`);
    const endless = stream(place, world);
    const row = rowOf(page, world.keyName);
    await expect(row).toHaveCount(1);
    await row.getByRole("button", { name: /^Terminate session/ }).click();
    const question = page.getByRole("alertdialog");
    await expect(question).toContainText("in flight is cut off now");
    await question.getByRole("button", { name: "Terminate" }).click();
    expect(await endless).toContain("This session was terminated.");
    await expect(row).toContainText("Ended", promised);
  });

  test("a dialog about one session is not closed by the late end of another", async ({ adminPage: page, place, world }) => {
    const sessions = [newSession(), newSession()];
    const streams = sessions.map((session) => stream(place, world, { session }));
    await openSessions(page, `?key=${world.keyId}`);
    const terminate = rowOf(page, world.keyName).getByRole("button", { name: /^Terminate session/ });
    await expect(terminate).toHaveCount(2);
    const release = await holdBack(page, /sessions\.terminate/);
    const question = page.getByRole("alertdialog");
    await terminate.first().click();
    await question.getByRole("button", { name: "Terminate" }).click();
    await page.keyboard.press("Escape");
    await expect(question).toBeHidden();
    await terminate.last().click();
    await expect(question).toBeVisible();
    release();
    await expect(page.getByText("Session terminated", { exact: true })).toBeVisible();
    await expect(question).toBeVisible();
    await question.getByRole("button", { name: "Terminate" }).click();
    for (const each of streams) expect(await each).toContain("This session was terminated.");
  });
});

for (const [colorScheme, width] of [
  ["light", 1440],
  ["dark", 390],
] as const) {
  test.describe(`sessions, ${colorScheme}, ${width} px wide`, () => {
    test.use({ colorScheme, viewport: { width, height: 900 }, contextOptions: { reducedMotion: "reduce" } });
    test("rows, what ended, the detail and the question are accessible", async ({ adminPage: page, place, world }) => {
      await page.goto(`/sessions?key=${world.keyId}`);
      const endless = stream(place, world);
      const row = page.locator("[data-session]");
      await expect(row).toHaveCount(1);
      expect(await flaws(page, "sessions")).toEqual([]);
      await row.getByRole("button", { name: /^Show session/ }).click();
      const drawer = page.getByRole("complementary", { name: "Session" });
      await expect(drawer.getByRole("button", { name: "Cancel request" })).toBeVisible();
      expect(await flaws(page, "session-detail")).toEqual([]);
      await drawer.getByRole("button", { name: "Terminate" }).click();
      await expect(page.getByRole("alertdialog")).toBeVisible();
      expect(await flaws(page, "session-question")).toEqual([]);
      await page.getByRole("alertdialog").getByRole("button", { name: "Terminate" }).click();
      await endless;
      await page.keyboard.press("Escape");
      await expect(row).toContainText("Ended");
      expect(await flaws(page, "session-ended")).toEqual([]);
    });
  });
}
