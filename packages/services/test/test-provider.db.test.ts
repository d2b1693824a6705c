import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createProvider } from "@sluice/services/providers/create-provider";
import { testProvider } from "@sluice/services/providers/test-provider";
import { makeProvider, uniqueName } from "@sluice/testing/factories";
import { freePort } from "@sluice/testing/ports";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startServices, type TestServices } from "./harness.ts";

let world: TestServices;
let server: Server;
let baseUrl: string;
let answer: RequestListener;
const seen: { url: string; method: string; authorization: string; body: string }[] = [];

beforeAll(async () => {
  world = await startServices();
  server = createServer(async (request, response) => {
    const chunks = await request.toArray();
    seen.push({
      url: request.url ?? "",
      method: request.method ?? "",
      authorization: request.headers.authorization ?? "",
      body: Buffer.concat(chunks).toString(),
    });
    answer(request, response);
  }).listen(0, "127.0.0.1");
  // The server is also its own proxy.
  server.on("connect", (_, socket) => {
    socket.write("HTTP/1.1 200 OK\r\n\r\n");
    server.emit("connection", socket);
  });
  await once(server, "listening");
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
});
afterAll(async () => {
  server?.close();
  await world?.close();
});

const json =
  (status: number, body: object): RequestListener =>
  (_, response) =>
    void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
const secret = "sk-upstream-secret-0123";

describe("the connection test of a provider", () => {
  it("shows the status of a refusal whose text cannot be decoded", async () => {
    const admin = await world.as("admin");
    const { id } = await makeProvider(world.database.prisma, { baseUrl, secret });
    answer = (_, response) => response.writeHead(401, { "content-type": "application/json", "content-encoding": "br" }).end("??");
    expect(await testProvider(admin, { id })).toMatchObject({ ok: false, status: 401, message: "HTTP 401", excerpt: "" });
  });

  it("lists its models with the stored secret", async () => {
    const admin = await world.as("admin");
    const { id } = await makeProvider(world.database.prisma, { baseUrl, secret });
    answer = json(200, { data: [{ id: "gpt-a" }, { id: "gpt-b" }, { id: 3 }] });
    expect(await testProvider(admin, { id })).toMatchObject({
      ok: true,
      status: 200,
      models: ["gpt-a", "gpt-b"],
      latencyMs: expect.any(Number),
    });
    expect(seen.at(-1)).toMatchObject({ method: "GET", url: "/v1/models", authorization: `Bearer ${secret}` });
  });

  it("calls the model asked for, under its upstream name", async () => {
    const admin = await world.as("admin");
    const { id } = await makeProvider(world.database.prisma, { baseUrl, secret, modelRedirects: { "gpt-a": "gpt-inner" } });
    answer = json(200, { choices: [] });
    expect(await testProvider(admin, { id, model: "gpt-a" })).toMatchObject({ ok: true, status: 200 });
    expect(seen.at(-1)).toMatchObject({ method: "POST", url: "/v1/chat/completions" });
    expect(JSON.parse(seen.at(-1)?.body ?? "")).toMatchObject({ model: "gpt-inner" });
  });

  it("shows what the provider says, never the secret", async () => {
    const admin = await world.as("admin");
    answer = json(401, { error: { message: `Incorrect API key provided: ${secret}`, type: "invalid_request_error" } });
    const result = await testProvider(admin, { dialect: "openai", baseUrl, secret });
    expect(result).toMatchObject({ ok: false, status: 401, message: expect.stringContaining("Incorrect API key") });
    expect(result.message).not.toContain(secret);
  });

  it("shows and logs nothing stored that the provider repeats: credentials, the proxy's password, values of headers", async () => {
    const admin = await world.as("admin");
    const [spare, password, value] = ["sk/spare+0123456789", "hunter2/and&more", "cf-client-0123456789"];
    const { id } = await createProvider(admin, {
      ...{ name: uniqueName("p"), dialect: "openai", baseUrl, secret, headers: { "cf-access-client-secret": `Basic ${value}` } },
      credentials: [{ label: "spare", secret: spare }],
      proxy: `http://user:${encodeURIComponent(password)}@${new URL(baseUrl).host}`,
    });
    const texts = [secret, spare, password, Buffer.from(`user:${password}`).toString("base64"), value];
    const lines: object[] = [];
    const ctx = { ...admin, log: { ...admin.log, info: (fields: object) => void lines.push(fields) } };
    const results = [];
    const body = JSON.stringify({ data: texts.slice(0, -1).map((id) => ({ id })), error: { message: texts.join(" ") } });
    for (const status of [200, 401]) {
      answer = (_, response) => void response.writeHead(status, { "content-type": "application/json" }).end(body.replaceAll("/", "\\/"));
      results.push(await testProvider(ctx, { id }));
    }
    answer = (_, response) => void response.writeHead(200, { "content-encoding": spare }).end();
    results.push(await testProvider(ctx, { id }));
    expect(results.map(({ status }) => status)).toEqual([200, 401, null]);
    expect(lines).toHaveLength(1);
    const written = JSON.stringify([results, lines]).replaceAll("\\\\/", "/");
    expect(texts.filter((text) => written.includes(text))).toEqual([]);
  });

  it("says when the address answers something else", async () => {
    const admin = await world.as("admin");
    answer = (_, response) => void response.writeHead(200).end("<html>");
    expect(await testProvider(admin, { dialect: "gemini", baseUrl, secret })).toMatchObject({ ok: false, status: 200 });
    answer = json(200, { models: [{ name: "models/gemini-a" }] });
    expect(await testProvider(admin, { dialect: "gemini", baseUrl, secret })).toMatchObject({ ok: true, models: ["gemini-a"] });
  });

  it("does not tell a closed port from a blocked address", async () => {
    const admin = await world.as("admin");
    const closed = await testProvider(admin, { dialect: "openai", baseUrl: `http://127.0.0.1:${await freePort()}`, secret });
    const blocked = await testProvider(admin, { dialect: "openai", baseUrl: "http://10.0.0.1/v1", secret });
    expect(closed).toEqual(blocked);
    expect(closed).toMatchObject({ ok: false, status: null });
  });

  it("is for administrators only", async () => {
    const user = await world.as("user");
    const before = seen.length;
    await expect(testProvider(user, { dialect: "openai", baseUrl, secret })).rejects.toMatchObject({ code: "forbidden" });
    await expect(testProvider(await world.as("admin"), { id: "019a0000-0000-7000-8000-000000000000" })).rejects.toMatchObject({
      code: "not_found",
    });
    expect(seen.length).toBe(before);
  });
});
