import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { systemClock } from "@sluice/core/clock";
import { silentLog } from "@sluice/core/log";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Egress } from "../src/contract.ts";
import { createEgress } from "../src/egress.ts";
import { maxDecodedBytes } from "../src/encoding.ts";
import { ask, bodyOf, codeOf, listen, listenRaw, reusable, textOf } from "./servers.ts";

let egress: Egress;
const closing: (() => Promise<void>)[] = [];

beforeAll(() => {
  egress = createEgress({ allowPrivateHosts: ["127.0.0.1"], log: silentLog, clock: systemClock });
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
afterAll(() => egress.close());

async function serve(handle: Parameters<typeof listen>[0]): Promise<string> {
  const server = await listen(handle);
  closing.push(server.close);
  return server.url;
}

async function serveRaw(handle: (socket: Socket) => void): Promise<string> {
  const server = await listenRaw(handle);
  closing.push(server.close);
  return server.url;
}

describe("an answer", () => {
  it("comes with status, lower-case headers and every byte", async () => {
    const url = await serve(async (request, response) => {
      const body = await bodyOf(request);
      response.writeHead(201, { "X-One": "1", "Set-Cookie": ["a=1", "b=2"] });
      response.end(`${request.method} ${request.url} ${request.headers["x-mine"]} ${body}`);
    });
    const answer = await egress.request(
      ask(`${url}/v1/x?beta=true`, { method: "POST", headers: { "x-mine": "yes" }, body: Buffer.from("héllo") }),
    );
    expect(answer.status).toBe(201);
    expect(answer.headers["x-one"]).toBe("1");
    expect(answer.headers["set-cookie"]).toBe("a=1, b=2");
    expect(await textOf(answer.body)).toBe("POST /v1/x?beta=true yes héllo");
  });

  it("is not read ahead of its reader", async () => {
    let written = 0;
    const url = await serve((_request, response) => {
      const chunk = Buffer.alloc(64 * 1024);
      const pump = () => {
        while (written < 256 * 1024 * 1024) {
          written += chunk.length;
          if (!response.write(chunk)) {
            response.once("drain", pump);
            return;
          }
        }
        response.end();
      };
      pump();
    });
    const answer = await egress.request(ask(url));
    await once(answer.body, "readable");
    // The kernel's buffers take a few MB; everything beyond them must wait for us.
    let before = -1;
    while (before !== written) {
      before = written;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(written).toBeLessThan(64 * 1024 * 1024);
    answer.body.destroy();
  });

  it.each([
    ["gzip", gzipSync],
    ["x-gzip", gzipSync],
    ["deflate", deflateSync],
  ] as const)("in %s is decoded, and its headers no longer name the coding", async (coding, pack) => {
    const url = await serve((_request, response) => response.writeHead(200, { "content-encoding": coding }).end(pack("data: hi\n\n")));
    const answer = await egress.request(ask(url));
    expect(answer.headers).not.toHaveProperty("content-encoding");
    expect(answer.headers).not.toHaveProperty("content-length");
    expect(await textOf(answer.body)).toBe("data: hi\n\n");
  });

  it("that names identity keeps its length", async () => {
    const url = await serve((_request, response) =>
      response.writeHead(200, { "content-encoding": "identity", "content-length": "2" }).end("ok"),
    );
    const answer = await egress.request(ask(url));
    expect(answer.headers).toMatchObject({ "content-length": "2" });
    expect(answer.headers).not.toHaveProperty("content-encoding");
    expect(await textOf(answer.body)).toBe("ok");
  });

  it.each(["br", "zstd", "gzip, gzip", "gzip, br", "compress", "identity, gzip"])(
    "in %s is refused unread and its connection closed",
    async (coding) => {
      const closed = Promise.withResolvers<void>();
      const url = await serve((request, response) => {
        request.socket.on("close", () => closed.resolve());
        response.writeHead(200, { "content-encoding": coding });
        response.write(brotliCompressSync("x".repeat(1000)));
      });
      expect(await codeOf(egress.request(ask(url)))).toBe("upstream_encoding");
      await closed.promise;
    },
  );

  it("that is an error in an unsupported coding keeps its status and headers, and its body fails", async () => {
    const url = await serve((_request, response) =>
      response.writeHead(429, { "content-encoding": "br", "retry-after": "7" }).end(brotliCompressSync("{}")),
    );
    const answer = await egress.request(ask(url));
    expect(answer).toMatchObject({ status: 429, headers: { "retry-after": "7" } });
    expect(answer.headers).not.toHaveProperty("content-encoding");
    expect(await codeOf(answer.collect(1_000))).toBe("upstream_encoding");
    const other = await egress.request(ask(url));
    expect(await codeOf(textOf(other.body))).toBe("upstream_encoding");
  });

  it("that decompresses without end is cut", async () => {
    const bomb = gzipSync(Buffer.alloc(maxDecodedBytes + 1_000_000));
    const url = await serve((_request, response) => response.writeHead(200, { "content-encoding": "gzip" }).end(bomb));
    const answer = await egress.request(ask(url));
    expect(await codeOf(textOf(answer.body))).toBe("upstream_encoding");
  });

  it("that claims to be gzip but is not is an encoding error", async () => {
    const url = await serve((_request, response) => response.writeHead(200, { "content-encoding": "gzip" }).end("plain"));
    const answer = await egress.request(ask(url));
    expect(await codeOf(textOf(answer.body))).toBe("upstream_encoding");
  });

  it("cut short of its length, or inside a chunk, is truncated", async () => {
    for (const head of ["content-length: 100\r\n\r\nabc", "transfer-encoding: chunked\r\n\r\n10\r\nabc"]) {
      const url = await serveRaw((socket) => socket.once("data", () => socket.end(`HTTP/1.1 200 OK\r\n${head}`)));
      const answer = await egress.request(ask(url));
      expect(await codeOf(textOf(answer.body))).toBe("upstream_truncated");
    }
  });

  it("of status 1xx is skipped", async () => {
    const url = await serveRaw((socket) =>
      socket.once("data", () => socket.end("HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")),
    );
    const answer = await egress.request(ask(url));
    expect(answer.status).toBe(200);
    expect(await textOf(answer.body)).toBe("ok");
  });
});

describe("a wait ends", () => {
  it("when no head comes", async () => {
    const url = await serve(() => undefined);
    expect(await codeOf(egress.request(ask(url, { headersTimeoutMs: 100 })))).toBe("upstream_timeout");
  });

  it("when the body stalls", async () => {
    const url = await serve((_request, response) => void response.write("first"));
    const answer = await egress.request(ask(url, { idleTimeoutMs: 100 }));
    expect(await codeOf(textOf(answer.body))).toBe("upstream_timeout");
  });

  it("but not while it goes on, however slowly, among others that stall", async () => {
    const url = await serve((request, response) => {
      if (request.url?.includes("stalls")) return void response.write("x");
      let left = 8;
      const more = setInterval(() => {
        response.write("x");
        if (--left === 0) response.end();
      }, 70);
      response.on("close", () => clearInterval(more));
    });
    const read = async (path: string): Promise<string> => {
      const { body } = await egress.request(ask(new URL(path, url).href, { idleTimeoutMs: 300 }));
      return codeOf(textOf(body));
    };
    const paths = Array.from({ length: 12 }, (_, i) => (i % 3 === 0 ? "/goes-on" : "/stalls"));
    expect(await Promise.all(paths.map(read))).toEqual(paths.map((path) => (path === "/stalls" ? "upstream_timeout" : "")));
  });

  it("but not while we are the slow side", async () => {
    const big = Buffer.alloc(4 * 1024 * 1024, 97);
    const url = await serve((_request, response) => response.end(big));
    const answer = await egress.request(ask(url, { idleTimeoutMs: 50 }));
    await once(answer.body, "readable");
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect((await textOf(answer.body)).length).toBe(big.length);
  });

  it("when nothing accepts the connection in time", async () => {
    // A TLS handshake that is never answered: connected, but not usable.
    const url = await serveRaw(() => undefined);
    expect(await codeOf(egress.request(ask(url.replace("http:", "https:"), { connectTimeoutMs: 100 })))).toBe("upstream_timeout");
  });

  it("when the caller aborts: before the head, in the body, and before it was sent", async () => {
    for (const during of ["head", "body"] as const) {
      const closed = Promise.withResolvers<void>();
      const asked = Promise.withResolvers<ServerResponse>();
      const url = await serve((request, response) => {
        request.socket.on("close", () => closed.resolve());
        if (during === "body") response.write("x");
        asked.resolve(response);
      });
      const controller = new AbortController();
      const pending = egress.request(ask(url, { signal: controller.signal }));
      await asked.promise;
      if (during === "body") {
        const { body } = await pending;
        const failed = once(body, "error");
        controller.abort(new Error("client left"));
        expect(String(await failed)).toContain("client left");
      } else {
        controller.abort(new Error("client left"));
        await expect(pending).rejects.toThrow("client left");
      }
      await closed.promise;
    }
    await expect(egress.request(ask("http://127.0.0.1:9/", { signal: AbortSignal.abort(new Error("early")) }))).rejects.toThrow("early");
  });
});

describe("a connection", () => {
  it("that was refused is an upstream error", async () => {
    const gone = await listen(() => undefined);
    await gone.close();
    expect(await codeOf(egress.request(ask(gone.url)))).toBe("upstream_error");
  });

  it("is used again", async () => {
    const ports = new Set<number | undefined>();
    const url = await serve((request, response) => {
      ports.add(request.socket.remotePort);
      response.end("ok");
    });
    for (let i = 0; i < 3; i += 1) {
      await textOf((await egress.request(ask(url))).body);
      await reusable();
    }
    expect(ports.size).toBe(1);
  });

  it("reset on its first use is not tried again", async () => {
    let asked = 0;
    const url = await serveRaw((socket) =>
      socket.once("data", () => {
        asked += 1;
        socket.destroy();
      }),
    );
    expect(await codeOf(egress.request(ask(url, { method: "POST", body: "{}" })))).toBe("upstream_error");
    expect(asked).toBe(1);
  });

  it("kept alive but closed by the peer on the next request is tried once more on a new one", async () => {
    let connections = 0;
    const bodies: string[] = [];
    const url = await serveRaw((socket) => {
      connections += 1;
      const first = connections === 1;
      let requests = 0;
      socket.on("data", (data) => {
        requests += 1;
        bodies.push(data.toString().split("\r\n\r\n")[1] ?? "");
        if (first && requests === 2) socket.destroy();
        else socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
      });
    });
    for (const body of ["one", "two"]) {
      expect(await textOf((await egress.request(ask(url, { method: "POST", body }))).body)).toBe("ok");
      await reusable();
    }
    expect(connections).toBe(2);
    expect(bodies).toEqual(["one", "two", "two"]);
  });

  it("kept alive and cut inside the head is not tried again", async () => {
    let requests = 0;
    const url = await serveRaw((socket) => {
      socket.on("data", () => {
        requests += 1;
        if (requests === 1) socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
        else socket.end("HTTP/1.1 200");
      });
    });
    await textOf((await egress.request(ask(url, { method: "POST", body: "{}" }))).body);
    await reusable();
    expect(await codeOf(egress.request(ask(url, { method: "POST", body: "{}" })))).toBe("upstream_error");
    expect(requests).toBe(2);
  });

  it("is not waited for when all of an origin are in use", async () => {
    const narrow = createEgress({
      allowPrivateHosts: ["127.0.0.1"],
      log: silentLog,
      clock: systemClock,
      connectionsPerOrigin: () => 1,
    });
    const url = await serve((_request, response) => void response.write("x"));
    const first = await narrow.request(ask(url));
    expect(await codeOf(narrow.request(ask(url)))).toBe("overloaded");
    first.body.on("error", () => undefined).destroy();
    const second = await narrow.request(ask(url));
    second.body.on("error", () => undefined).destroy();
    await narrow.close();
  });

  it("that cannot carry a header refuses the request as the caller's", async () => {
    const url = await serve((_request, response) => response.end("ok"));
    expect(await codeOf(egress.request(ask(url, { headers: { "x-bad": "a\r\nb" } })))).toBe("invalid_request");
  });

  it("that does not speak HTTP is an upstream error", async () => {
    const url = await serveRaw((socket) => socket.once("data", () => socket.end("SSH-2.0-x\r\n")));
    expect(await codeOf(egress.request(ask(url)))).toBe("upstream_error");
  });
});

it("pools of idle origins make room", async () => {
  const small = createEgress({ allowPrivateHosts: ["127.0.0.1"], log: silentLog, clock: systemClock, limits: { origins: 2 } });
  for (let i = 0; i < 5; i += 1) {
    const url = await serve((_request, response) => response.end("ok"));
    expect(await textOf((await small.request(ask(url))).body)).toBe("ok");
  }
  await small.close();
});
