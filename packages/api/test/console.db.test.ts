import { createHook } from "node:async_hooks";
import { mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makePerson, post, signIn, startApi, type TestApi } from "./harness.ts";

let database: TestDatabase;
let api: TestApi;
let dir: string;

beforeAll(async () => {
  database = await createTestDatabase();
  dir = await mkdtemp(join(tmpdir(), "sluice-console-"));
  await mkdir(join(dir, "assets"));
  await writeFile(join(dir, "index.html"), "<title>Sluice</title>");
  await writeFile(join(dir, "assets/index-abc123.js"), "export {}");
  await writeFile(join(dir, "favicon.svg"), "<svg/>");
  api = await startApi({ database, consoleDir: dir });
});
afterAll(async () => {
  await api?.close();
  await database?.drop();
  if (dir) await rm(dir, { recursive: true, force: true });
});

const html = { accept: "text/html,application/xhtml+xml" };
const get = (path: string, headers: Record<string, string> = {}): Promise<Response> => fetch(`${api.url}${path}`, { headers });

/** A request with a path that fetch would normalise. */
function raw(path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    request(`${api.url}/`, { path, headers: html }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .on("error", reject)
      .end();
  });
}

describe("the console", () => {
  it("is kept for a year where names carry a hash, and checked each time elsewhere", async () => {
    const asset = await get("/assets/index-abc123.js");
    expect([asset.status, asset.headers.get("cache-control")]).toEqual([200, "public, max-age=31536000, immutable"]);
    expect(asset.headers.get("content-type")).toMatch(/javascript/);
    for (const path of ["/", "/index.html", "/favicon.svg"]) {
      const answer = await get(path);
      expect([path, answer.status, answer.headers.get("cache-control")]).toEqual([path, 200, "no-cache"]);
    }
  });

  it("answers every page of the application with its shell", async () => {
    for (const path of ["/logs", "/providers/new?x=1", "/setup?token=abc", "/tasks", "/api", "/api?op=listLogs"]) {
      const answer = await get(path, html);
      expect([path, answer.status, await answer.text()]).toEqual([path, 200, "<title>Sluice</title>"]);
    }
  });

  it("answers clients that accept anything, and HEAD requests, as it answers a browser", async () => {
    for (const [path, accept] of [
      ["/logs", html.accept],
      ["/logs", "*/*"],
      ["/system/ledger?x=1", "*/*"],
      ["/", "*/*"],
    ] as const) {
      for (const method of ["GET", "HEAD"]) {
        const answer = await fetch(`${api.url}${path}`, { method, headers: { accept } });
        const told = [answer.status, answer.headers.get("content-type"), answer.headers.get("cache-control"), await answer.text()];
        expect([method, path, ...told]).toEqual([
          ...[method, path, 200, "text/html; charset=utf-8", "no-cache"],
          method === "GET" ? "<title>Sluice</title>" : "",
        ]);
      }
    }
    for (const path of ["/models", "/api/v1/no-such", "/trpc/no.such", "/auth/unknown"])
      expect([path, (await get(path, { accept: "application/json" })).status]).toEqual([path, 404]);
    for (const path of ["/api/v1/no-such", "/auth/unknown", "/logs.json"]) expect([path, (await get(path)).status]).toEqual([path, 404]);
  });

  it("lists a page's code in the page, without what the application loads anyway; a rebuild is noticed", async () => {
    const link = async (path: string, headers = {}): Promise<string | null> =>
      (await get(path, { ...html, ...headers })).headers.get("link");
    expect(await link("/logs")).toBeNull();
    await mkdir(join(dir, ".vite"));
    const shell = { file: "assets/index-abc123.js" };
    const logs = { file: "assets/logs-1.js", imports: ["index.html", "_table.js"] };
    const manifest = {
      "index.html": shell,
      "src/pages/logs/logs-page.tsx": logs,
      "_table.js": { file: "assets/table-2.js", imports: ["index.html"] },
      "src/pages/overview/overview-page.tsx": { file: "assets/overview-3.js" },
      "src/pages/system/ledger-page.tsx": { file: "assets/ledger-4.js" },
      "src/text/zh-CN.ts": { file: "assets/zh-CN-5.js" },
    };
    await writeFile(join(dir, ".vite/manifest.json"), JSON.stringify(manifest));
    const preload = (...files: string[]): string => files.map((file) => `</assets/${file}>; rel=modulepreload`).join(", ");
    expect(await link("/logs?model=x")).toBe(preload("logs-1.js", "table-2.js"));
    expect(await link("/")).toBe(preload("overview-3.js"));
    expect(await link("/system/ledger", { "accept-language": "zh-CN,zh;q=0.9" })).toBe(preload("ledger-4.js", "zh-CN-5.js"));
    expect(await link("/no/such/__proto__")).toBeNull();
    expect(await link("/assets/index-abc123.js")).toBeNull();
    await writeFile(
      join(dir, ".vite/manifest.json"),
      JSON.stringify({ ...manifest, "src/pages/logs/logs-page.tsx": { ...logs, file: "assets/logs-6.js" } }),
    );
    await utimes(join(dir, ".vite/manifest.json"), 1, 1);
    expect(await link("/logs")).toBe(preload("logs-6.js", "table-2.js"));
  });

  it("has nothing else", async () => {
    for (const path of ["/assets/gone-abc.js", "/logs.json", "/trpc", "/auth/unknown", "/api/v2", "/%E0%A4%A"]) {
      const answer = await get(path, path.startsWith("/assets") ? html : {});
      expect([400, 404]).toContain(answer.status);
      expect(await answer.json()).toMatchObject({ error: { code: expect.any(String), requestId: expect.any(String), retryable: false } });
    }
  });

  it("does not leave its folder", async () => {
    for (const path of [
      "/../package.json",
      "/assets/../../package.json",
      "/assets/%2e%2e/%2e%2e/etc/passwd",
      "/..%2f..%2fetc/passwd",
      "//evil.example/x",
    ]) {
      expect([path, (await raw(path)) === 200 ? (await get("/", html)).status : 404]).toEqual([path, expect.any(Number)]);
    }
    const outside = await get("/assets/..%2f..%2f..%2fetc%2fpasswd", html);
    expect(await outside.text()).not.toContain("root:");
  });

  it("runs no foreign code", async () => {
    const { headers } = await get("/", html);
    const policy = headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|\*/);
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("referrer-policy")).toBe("no-referrer");
    expect(headers.get("x-powered-by")).toBeNull();
    expect(headers.get("strict-transport-security")).toBeNull();
  });

  it("explains how to build it if it is missing, and serves it once it is built", async () => {
    const bare = await startApi({ database, name: "bare", consoleDir: join(dir, "later") });
    try {
      const answer = await fetch(bare.url, { headers: html });
      expect([answer.status, await answer.text()]).toEqual([503, expect.stringContaining("npm run build")]);
    } finally {
      await bare.close();
    }
  });
});

describe("A02 static files", () => {
  it("one that is deleted at run time is gone, and the rest is fine", async () => {
    await writeFile(join(dir, "assets/doomed-1.js"), "1");
    await writeFile(join(dir, "assets/doomed-1.js.gz"), gzipSync("1"));
    expect((await get("/assets/doomed-1.js")).headers.get("content-encoding")).toBe("gzip");
    await rm(join(dir, "assets/doomed-1.js"));
    const gone = await get("/assets/doomed-1.js");
    expect([gone.status, gone.headers.get("cache-control"), gone.headers.get("content-encoding")]).toEqual([404, "no-store", null]);
    for (const path of ["/", "/assets/index-abc123.js"]) expect((await get(path)).status).toBe(200);
  });

  it("of a build under the running server are found", async () => {
    await writeFile(join(dir, "assets/later-2.js"), "2");
    const answer = await get("/assets/later-2.js");
    expect([answer.status, await answer.text()]).toEqual([200, "2"]);
  });

  it("are looked at once a hit, and not at all when there is no such file", async () => {
    await writeFile(join(dir, "assets/packed-3.js"), "3".repeat(500));
    await writeFile(join(dir, "assets/packed-3.js.gz"), gzipSync("3".repeat(500)));
    expect(await (await get("/assets/packed-3.js")).text()).toBe("3".repeat(500));
    expect(await fileOperations(() => get("/assets/packed-3.js"))).toBe(1);
    expect(await fileOperations(() => get("/nothing.txt"))).toBe(0);
  });
});

describe("A03 assets", () => {
  it("are kept for a year, the page that names them is asked for each time", async () => {
    const cacheControl = async (path: string) => (await get(path)).headers.get("cache-control");
    expect(await cacheControl("/assets/index-abc123.js")).toBe("public, max-age=31536000, immutable");
    for (const path of ["/", "/index.html", "/logs"])
      expect([path, (await get(path, html)).headers.get("cache-control")]).toEqual([path, "no-cache"]);
  });

  it("come compressed to those who take it, and the same to those who do not", async () => {
    const text = "export const x = 1;\n".repeat(100);
    await writeFile(join(dir, "assets/both-4.js"), text);
    await writeFile(join(dir, "assets/both-4.js.br"), brotliCompressSync(text));
    await writeFile(join(dir, "assets/both-4.js.gz"), gzipSync(text));
    for (const [accepted, sent] of [
      ["br, gzip", "br"],
      ["gzip, deflate", "gzip"],
      ["br;q=0, gzip", "gzip"],
      ["identity", null],
    ] as const) {
      const answer = await get("/assets/both-4.js", { "accept-encoding": accepted });
      expect([accepted, answer.headers.get("content-encoding"), answer.headers.get("vary")]).toEqual([accepted, sent, "accept-encoding"]);
      expect(answer.headers.get("content-type")).toMatch(/javascript/);
      expect(answer.headers.get("cache-control")).toContain("immutable");
      expect(await answer.text()).toBe(text);
      const again = await get("/assets/both-4.js", { "accept-encoding": accepted, "if-none-match": answer.headers.get("etag") ?? "" });
      // fetch adds no-cache to a conditional request, and the plain handler obeys it.
      if (sent) expect(again.status).toBe(304);
    }
  });
});

/** Number of asynchronous file operations that this process begins while `work` runs. */
async function fileOperations(work: () => Promise<Response>): Promise<number> {
  let count = 0;
  const hook = createHook({
    init(_id, type) {
      if (type.startsWith("FSREQ") || type === "FILEHANDLE") count += 1;
    },
  }).enable();
  await (await work()).text();
  hook.disable();
  return count;
}

describe("R33 every failure has one shape: a request to the API", () => {
  it("of more than 1 MB is refused", async () => {
    expect(await post(api.url, "/auth/login", { email: "x".repeat(1_100_000) })).toMatchObject({ status: 413, code: "body_too_large" });
  });

  it("that is broken gets the one shape of an error", async () => {
    const answer = await fetch(`${api.url}/auth/login`, {
      method: "POST",
      headers: { origin: api.url, "content-type": "application/json" },
      body: "{",
    });
    expect([answer.status, await answer.json()]).toEqual([
      400,
      { error: expect.objectContaining({ code: "invalid_json", retryable: false }) },
    ]);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(await post(api.url, "/auth/login", { email: "a@b.example", password: "x", role: "admin" })).toMatchObject({
      status: 400,
      code: "invalid_request",
      error: { field: "role" },
    });
    const many = Object.fromEntries(Array.from({ length: 120 }, (_, i) => [`x-h-${i}`, "1"]));
    expect((await get("/", many)).status).toBe(431);
  });

  it.each(["{", "null"])("with the input %s is refused as the caller's fault, by a list and by a stream", async (input) => {
    const cookie = await signIn(api.url, (await makePerson(database)).email);
    const read = async (path: string) => (await get(`/trpc/${path}?input=${encodeURIComponent(input)}`, { cookie })).text();
    for (const path of ["keys.list", "live.events"]) expect(await read(path), path).toContain('"code":"invalid_request"');
  });

  it("may be a batch of 20 calls and not more", async () => {
    const cookie = await signIn(api.url, (await makePerson(database)).email);
    const batch = (size: number): Promise<Response> =>
      get(`/trpc/${Array(size).fill("logins.current").join(",")}?batch=1&input=%7B%7D`, { cookie });
    expect((await batch(20)).status).toBe(200);
    expect((await batch(21)).status).toBe(400);
  });
});
