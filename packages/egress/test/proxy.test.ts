import { silentLog } from "@sluice/core/log";
import { until } from "@sluice/testing/deadline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Egress } from "../src/contract.ts";
import { createEgress } from "../src/egress.ts";
import { startHttpProxy, startSocksProxy, type TestProxy } from "./proxy-servers.ts";
import { ask, listen, listenRaw, textOf } from "./servers.ts";

const publicAddress = "93.184.216.34";
const addresses = async (host: string) => [
  { address: host.startsWith("inner") ? "10.0.0.7" : publicAddress, family: 4 as const, ttlS: 60 },
];

let target: Awaited<ReturnType<typeof listen>>;
let http: TestProxy;
let socks: TestProxy;
let egress: Egress;
beforeAll(async () => {
  target = await listen((req, res) => res.end(`${req.headers.host} ${req.url}`));
  http = await startHttpProxy(target.port);
  socks = await startSocksProxy(target.port);
  egress = createEgress({ allowPrivateHosts: ["127.0.0.1"], log: silentLog, addresses });
});
afterAll(async () => {
  await egress.close();
  await Promise.all([http.close(), socks.close(), target.close()]);
});

const through = (proxy: string, url = "http://api.example.com:8080/v1") => egress.request(ask(url, { proxy }));

describe("A12: a provider's proxy takes the place of the direct way", () => {
  it.each([
    ["http", () => http],
    ["socks5", () => socks],
  ] as const)("%s: the request goes through it to an address that was looked up here, others do not", async (_kind, proxyOf) => {
    const proxy = proxyOf();
    const before = proxy.asked.length;
    for (let i = 0; i < 10; i++) {
      const { status, body } = await through(proxy.url);
      expect([status, await textOf(body)]).toEqual([200, "api.example.com:8080 /v1"]);
    }
    const asked = proxy.asked.slice(before);
    expect(new Set(asked)).toEqual(new Set([`${publicAddress}:8080`]));
    // Its connections are reused for the next request through the same proxy, and for nothing else.
    expect(asked.length).toBeLessThanOrEqual(2);
    expect(await textOf((await egress.request(ask(`${target.url}/direct`))).body)).toContain("/direct");
    expect(proxy.asked.length).toBe(before + asked.length);
  });

  it("carries TLS for the name that was asked for", async () => {
    const hello = Promise.withResolvers<Buffer>();
    const server = await listenRaw((socket) => socket.once("data", (bytes) => socket.end(() => hello.resolve(bytes))));
    const proxy = await startSocksProxy(server.port);
    const answer = through(proxy.url, "https://api.example.com/v1");
    await expect(answer).rejects.toMatchObject({ code: "upstream_error" });
    const bytes = await hello.promise;
    expect(bytes[0]).toBe(0x16);
    expect(bytes.toString("latin1")).toContain("api.example.com");
    await Promise.all([proxy.close(), server.close()]);
  });

  it.each([
    ["another login", () => http.url.replace("pass", "fail"), "refuses the login"],
    ["another login", () => socks.url.replace("pass", "fail"), "refuses the login"],
    ["no proxy", () => target.url, "the proxy"],
    ["another kind of proxy", () => socks.url.replace("socks5", "http"), "the proxy"],
  ])("%s is an error of the provider, whose text does not reveal the login", async (_what, url, text) => {
    const error = await through(url()).then(
      () => null,
      (thrown: unknown) => thrown as { code: string; detail: string; message: string },
    );
    expect(error?.code).toMatch(/^upstream_(error|timeout)$/);
    expect(error?.detail).toContain(text);
    expect(JSON.stringify(error)).not.toMatch(/word|fail/);
  });
});

describe("the guard holds through a proxy", () => {
  it("private addresses and names are not asked of it, and it may not be private itself", async () => {
    const before = http.asked.length;
    for (const url of ["http://10.0.0.7/", "http://localhost/", "http://inner.example.com/", "http://[::ffff:10.0.0.7]/"]) {
      await expect(through(http.url, url)).rejects.toMatchObject({ code: "upstream_blocked" });
    }
    for (const proxy of ["socks5://10.0.0.7:1080", "socks5://0x0a.0.0.7", "http://inner.example.com:3128", "http://localhost:3128"]) {
      await expect(through(proxy)).rejects.toMatchObject({ code: "upstream_blocked" });
    }
    expect(http.asked.length).toBe(before);
  });

  it.each([
    "https://proxy.example.com",
    "socks4://proxy.example.com",
    "http://proxy.example.com/path",
    "socks5://192.168.0.1:1080",
    "proxy",
  ])("%s is refused at its field", (url) => {
    expect(() => egress.checkProxy(url)).toThrow(expect.objectContaining({ code: "invalid_request", field: "proxy" }));
  });
});

describe("A14: another proxy", () => {
  it("is used from the next call on, and the pools of those before are given up", async () => {
    const few = createEgress({ allowPrivateHosts: ["127.0.0.1"], log: silentLog, addresses, limits: { origins: 2 } });
    const proxies = await Promise.all([1, 2, 3, 4, 5].map(() => startSocksProxy(target.port)));
    for (const proxy of proxies) {
      const { body } = await few.request(ask("http://api.example.com/", { proxy: proxy.url }));
      await textOf(body);
      expect(proxy.asked).toHaveLength(1);
    }
    const open = () => proxies.filter((proxy) => proxy.open() > 0).length;
    await until(() => open() <= 2, { what: "no more than two pools are left" });
    await few.close();
    await Promise.all(proxies.map((proxy) => proxy.close()));
  });
});
