import { callMessages, expect, models, test } from "./fixtures.ts";
import { drawer, makeRequests, openLogs, rows } from "./log-page.ts";

test.use({ permissions: ["clipboard-read", "clipboard-write"] });

const clipboard = (page: import("@playwright/test").Page) => page.evaluate(() => navigator.clipboard.readText());

test("a request's drawer says where it went, why, and what it cost", async ({ adminPage: page, place, world }) => {
  const [requestId = ""] = await makeRequests(place, world, [models.plain]);
  await openLogs(page, world);
  await rows(page).first().click();
  await expect(drawer(page)).toContainText(requestId);
  await expect(drawer(page)).toContainText("Routing decision");
  await expect(drawer(page)).toContainText(world.providerName);
  await expect(drawer(page)).toContainText("Only candidate");
  await expect(drawer(page)).toContainText("Usage and cost");
  await expect(drawer(page).getByRole("img", { name: /^First content after/ })).toBeVisible();
  await expect(page).toHaveURL(new RegExp(`log=${requestId}`));
  await page.keyboard.press("Escape");
  await expect(drawer(page)).toBeHidden();
});

test("a converted request says from what to what, and which of its fields were left out", async ({ adminPage: page, place, world }) => {
  const body = { model: models.plain, seed: 7, messages: [{ role: "user", content: "Hi" }] };
  const headers = { authorization: `Bearer ${world.secret}`, "content-type": "application/json" };
  const answer = await fetch(`${place.gatewayUrl}/v1/chat/completions`, { method: "POST", headers, body: JSON.stringify(body) });
  expect(answer.status).toBe(200);
  await openLogs(page, world);
  await rows(page).first().click();
  await expect(drawer(page).getByText("Converted: openai chat → anthropic")).toHaveCount(2);
  await expect(drawer(page)).toContainText("Dropped: seed");
});

test("J and K walk through the log with the drawer open", async ({ adminPage: page, place, world }) => {
  const ids = await makeRequests(place, world, [models.plain, models.failing, models.plain]);
  await openLogs(page, world);
  await rows(page).first().click();
  await expect(drawer(page)).toContainText(ids[2] ?? "");
  await page.keyboard.press("j");
  await expect(drawer(page)).toContainText(ids[1] ?? "");
  await expect(page).toHaveURL(new RegExp(`log=${ids[1]}`));
  await page.keyboard.press("j");
  await expect(drawer(page)).toContainText(ids[0] ?? "");
  await page.keyboard.press("k");
  await expect(drawer(page)).toContainText(ids[1] ?? "");
});

test("a link opens the request, also one that the list does not show", async ({ adminPage: page, place, world }) => {
  const [plain = "", failing = ""] = await makeRequests(place, world, [models.plain, models.failing]);
  await openLogs(page, world, `&model=${models.plain}&log=${failing}`);
  await expect(rows(page)).toHaveCount(1);
  await expect(drawer(page)).toContainText(failing);
  await expect(drawer(page)).toContainText(models.failing);
  await drawer(page).getByRole("button", { name: "Copy link", exact: true }).click();
  expect(await clipboard(page)).toBe(page.url());
  await drawer(page).getByRole("button", { name: "Copy link with fixed time range" }).click();
  const frozen = new URL(await clipboard(page));
  expect(Number(frozen.searchParams.get("to"))).toBeGreaterThan(Date.now() - 60_000);
  await makeRequests(place, world, [models.plain]);
  await page.goto(frozen.href);
  await expect(rows(page)).toHaveCount(1);
  await expect(rows(page).first()).toHaveAttribute("data-id", plain);
});

test("is copied as a curl command that works, with a stand-in for the key", async ({ adminPage: page, place, world }) => {
  await makeRequests(place, world, [models.plain]);
  await openLogs(page, world);
  await rows(page).first().click();
  await drawer(page).getByRole("button", { name: "Copy as curl" }).click();
  const text = await clipboard(page);
  expect(text).toContain("/v1/messages'");
  expect(text).toContain('"x-api-key: $KEY"');
  expect(text).not.toContain(world.secret);
  const body = /-d '(.*)'/.exec(text)?.[1] ?? "";
  const url = new URL(/curl '([^']+)'/.exec(text)?.[1] ?? "");
  const headers = { "x-api-key": world.secret, "anthropic-version": "2023-06-01", "content-type": "application/json" };
  expect((await fetch(place.gatewayUrl + url.pathname, { method: "POST", headers, body })).status).toBe(200);
});

test("over plain http, too, copying works and the focus stays where it was", async ({ adminPage: page, place, world }) => {
  // Over plain http, browsers do not have this interface.
  await page.addInitScript(() => Object.defineProperty(navigator, "clipboard", { value: undefined }));
  const [requestId = ""] = await makeRequests(place, world, [models.plain]);
  await openLogs(page, world);
  await rows(page).first().click();
  const copy = drawer(page).getByRole("button", { name: "Copy Request ID" });
  await copy.focus();
  await page.keyboard.press("Enter");
  await expect(drawer(page).getByRole("button", { name: /^(Copied|Copy Request ID)$/ })).toBeFocused();
  const query = page.getByRole("combobox", { name: "Find requests" });
  await query.press("ControlOrMeta+v");
  await expect(query).toHaveValue(requestId);
});

test("a copy that the browser refuses is reported as not copied", async ({ adminPage: page, place, world }) => {
  const thrown: Error[] = [];
  page.on("pageerror", (error) => thrown.push(error));
  await page.addInitScript(() => {
    const refused = () => Promise.reject(new DOMException("Write permission denied.", "NotAllowedError"));
    Object.defineProperty(navigator, "clipboard", { configurable: true, value: { writeText: refused } });
  });
  await makeRequests(place, world, [models.plain]);
  await openLogs(page, world);
  await rows(page).first().click();
  // Only the paragraph: failures are announced once more to assistive technology, by another element.
  const said = page.getByRole("paragraph").filter({ hasText: "The browser does not allow copying" });
  await drawer(page).getByRole("button", { name: "Copy Request ID" }).click();
  await expect(said).toHaveCount(1);
  await drawer(page).getByRole("button", { name: "Copy link", exact: true }).click();
  await expect(said).toHaveCount(2);
  // Over plain http the browser refuses by a return value.
  await page.evaluate(() => {
    Object.defineProperty(navigator, "clipboard", { value: undefined });
    document.execCommand = () => false;
  });
  await page.keyboard.press("c");
  await expect(said).toHaveCount(3);
  await expect(page.getByText("Copied", { exact: true })).toHaveCount(0);
  expect(thrown).toEqual([]);
});

test("a request in flight shows what it does, and is cancelled from here", async ({ adminPage: page, place, world, api }) => {
  // Minutes of words: it only ends because it is cancelled.
  const endless = { [models.plain]: `${models.plain}@long,3000+slow,100` };
  await api.providers.update.mutate({ id: world.providerId, modelRedirects: endless });
  await openLogs(page, world);
  const answer = callMessages(place, world.secret, { stream: true });
  await expect(rows(page)).toHaveCount(1);
  await rows(page).first().click();
  await expect(drawer(page)).toContainText("Output speed");
  await drawer(page).getByRole("button", { name: "Cancel request" }).click();
  await expect(rows(page).first()).not.toContainText(/In flight|Streaming/);
  await expect(drawer(page).getByRole("button", { name: "Cancel request" })).toBeHidden();
  await (await answer).text().catch(() => "");
});

test("leads to the session it belongs to", async ({ adminPage: page, place, world }) => {
  await (await callMessages(place, world.secret, { session: `user_a_session_${world.id}` })).text();
  await openLogs(page, world);
  await rows(page).first().click();
  await drawer(page).getByRole("link", { name: "Open the session" }).click();
  await expect(page).toHaveURL(/\/sessions\?.*session=/);
});
