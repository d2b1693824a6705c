import { once } from "node:events";
import type { RequestListener, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { silentLog } from "@sluice/core/log";
import { until } from "@sluice/testing/deadline";
import { describe, expect, it } from "vitest";
import { createEgress } from "../src/egress.ts";
import { ask, codeOf, listen, listenRaw, reusable, textOf } from "./servers.ts";

const open = (connectionsPerOrigin?: () => number) =>
  createEgress({ allowPrivateHosts: ["127.0.0.1"], log: silentLog, ...(connectionsPerOrigin && { connectionsPerOrigin }) });

async function counted() {
  let connects = 0;
  const server = await listen((_req, res) => setTimeout(() => res.end("ok"), 20));
  server.server.on("connection", () => {
    connects += 1;
  });
  return { ...server, connects: () => connects };
}

describe("A11: connections are kept and shared", () => {
  it("200 calls one after the other take one connection", async () => {
    const [egress, server] = [open(), await counted()];
    for (let i = 0; i < 200; i++) await textOf((await egress.request(ask(server.url))).body);
    expect(server.connects()).toBeLessThanOrEqual(2);
    await egress.close();
    await server.close();
  });

  it("300 at once open no more than the bound, and requests without a free connection are refused at once", async () => {
    let bound = 256;
    const [egress, server] = [open(() => bound), await counted()];
    const call = async () => textOf((await egress.request(ask(server.url))).body);
    const answers = await Promise.allSettled(Array.from({ length: 300 }, call));
    expect(server.connects()).toBeLessThanOrEqual(256);
    expect(answers.filter(({ status }) => status === "fulfilled")).toHaveLength(256);
    for (const answer of answers) if (answer.status === "rejected") expect(answer.reason).toMatchObject({ code: "overloaded" });
    // The next 256 reuse the existing connections.
    await reusable();
    await Promise.all(Array.from({ length: 256 }, call));
    expect(server.connects()).toBeLessThanOrEqual(256);
    // A changed bound applies to later requests, while the earlier ones continue.
    const before = call();
    bound = 300;
    expect(await Promise.all([before, ...Array.from({ length: 300 }, call)])).toHaveLength(301);
    bound = 2;
    const narrow = await Promise.allSettled(Array.from({ length: 3 }, call));
    expect(narrow.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected"]);
    await egress.close();
    await server.close();
  });

  it("one that the provider closed while it was idle is replaced, and no caller notices", async () => {
    const egress = open();
    // Answers once per connection without announcing a close, and hangs up on the second request.
    const server = await listenRaw((socket) => {
      let requests = 0;
      socket.on("data", () => (requests++ === 0 ? socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok") : socket.destroy()));
    });
    const answers: string[] = [];
    for (let i = 0; i < 20; i++) answers.push(await textOf((await egress.request(ask(server.url))).body));
    expect(answers).toEqual(Array.from({ length: 20 }, () => "ok"));
    await egress.close();
    await server.close();
  });
});

/** A server with all sockets that ever connected to it, and the responses to `/held`, which the test must send. */
async function watched(handle: RequestListener) {
  const sockets: Socket[] = [];
  const held: ServerResponse[] = [];
  const server = await listen((request, response) => {
    if (request.url === "/held") held.push(response);
    else handle(request, response);
  });
  server.server.on("connection", (socket) => sockets.push(socket));
  return { ...server, sockets, held };
}

const answerOwnPort: RequestListener = (request, response) => void response.end(String(request.socket.remotePort));

describe("a connection that is free", () => {
  it.each([0, 1, 2])("is used while the provider keeps it: of three, the one opened at %i, after it closed the others", async (kept) => {
    const [egress, server] = [open(), await watched(answerOwnPort)];
    const answers = [1, 2, 3].map(async () => textOf((await egress.request(ask(`${server.url}/held`))).body));
    await until(() => server.held.length === 3, { what: "three requests are under way" });
    for (const response of server.held) response.end();
    await Promise.all(answers);
    await reusable();
    const port = String(server.sockets[kept]?.remotePort);
    for (const socket of server.sockets.filter((_, index) => index !== kept)) {
      socket.end();
      await once(socket, "close");
    }
    for (let i = 0; i < 3; i++) {
      expect(await textOf((await egress.request(ask(server.url))).body)).toBe(port);
      await reusable();
    }
    expect(server.sockets).toHaveLength(3);
    await egress.close();
    await server.close();
  });

  it.each([
    ["the provider's word", (response: ServerResponse) => void response.setHeader("connection", "close").end("ok")],
    ["being cut", (response: ServerResponse) => void response.destroy()],
    ["its answer being given up", (response: ServerResponse) => void response.write("o")],
  ])("is used before another is opened in place of one that closed by %s", async (_by, answer) => {
    const [egress, server] = [open(), await watched(answerOwnPort)];
    const other = egress.request(ask(`${server.url}/held`));
    const response = await until(() => server.held.pop(), { what: "the request is under way" });
    const port = await textOf((await egress.request(ask(server.url))).body);
    const closed = once(response, "close");
    answer(response);
    await other.then(({ body }) => body.on("error", () => undefined).destroy()).catch(() => undefined);
    await closed;
    await reusable();
    expect(await textOf((await egress.request(ask(server.url))).body)).toBe(port);
    expect(server.sockets).toHaveLength(2);
    await egress.close();
    await server.close();
  });

  it("is kept only up to the bound", async () => {
    const [egress, server] = [open(() => 1), await watched(answerOwnPort)];
    for (let i = 0; i < 5; i++) await textOf((await egress.request(ask(server.url))).body);
    await until(() => server.sockets.filter((socket) => !socket.destroyed).length === 1, { what: "one is kept" });
    await egress.close();
    await server.close();
  });

  it.each([
    ["closed", (socket: Socket) => void socket.end()],
    ["reset", (socket: Socket) => void socket.resetAndDestroy()],
  ])("and is %s at the very moment a request is given to it, is replaced, and no caller notices", async (_how, end) => {
    const [egress, server] = [open(), await watched(answerOwnPort)];
    const call = async () => textOf((await egress.request(ask(server.url, { method: "POST", body: "{}" }))).body);
    for (let i = 0; i < 5; i++) {
      const port = await call();
      await reusable();
      for (const socket of server.sockets) if (!socket.destroyed) end(socket);
      expect(await call()).not.toBe(port);
      await reusable();
    }
    await egress.close();
    await server.close();
  });

  it("stays free when a request cannot be written to it", async () => {
    const [egress, server] = [open(() => 1), await watched(answerOwnPort)];
    const call = async () => textOf((await egress.request(ask(server.url))).body);
    const port = await call();
    for (let i = 0; i < 5; i++) {
      await reusable();
      expect(await codeOf(egress.request(ask(server.url, { headers: { "x-bad": "a\r\nb" } })))).toBe("invalid_request");
    }
    await reusable();
    expect(await call()).toBe(port);
    await egress.close();
    await server.close();
  });
});

describe("a connection in use", () => {
  it("is used by nobody else, and answers that are given up cost no more than their connections", async () => {
    const ends: (() => void)[] = [];
    const server = await watched(({ url }, response) => {
      response.write(`${url} begins, `);
      ends.push(() => response.end(`${url} ends`));
    });
    // Equal to the bound, so that a leaked connection would show.
    const egress = open(() => 50);
    for (const round of ["a", "b", "c", "d"]) {
      const urls = Array.from({ length: 50 }, (_, i) => `${server.url}/${round}${i}`);
      // All have begun before any ends, so none waits for another.
      const answers = await Promise.all(urls.map((url) => egress.request(ask(url))));
      const [kept, givenUp] = [answers.slice(25), answers.slice(0, 25)];
      for (const { body } of givenUp) body.on("error", () => undefined).destroy();
      for (const end of ends.splice(0)) end();
      const texts = await Promise.all(kept.map(({ body }) => textOf(body)));
      expect(texts).toEqual(kept.map((_, i) => `/${round}${i + 25} begins, /${round}${i + 25} ends`));
      await reusable();
    }
    expect(server.sockets.length).toBeLessThanOrEqual(50 + 3 * 25);
    await until(() => server.sockets.filter((socket) => !socket.destroyed).length === 25, { what: "those given up are closed" });
    await egress.close();
    await until(() => server.sockets.every((socket) => socket.destroyed), { what: "all are closed" });
    await server.close();
  });

  it("is released when its caller leaves before the request could be sent", async () => {
    const [egress, server] = [open(() => 2), await watched(answerOwnPort)];
    for (let i = 0; i < 5; i++) {
      const leaving = new AbortController();
      const pending = egress.request(ask(server.url, { signal: leaving.signal }));
      leaving.abort(new Error("client left"));
      await expect(pending).rejects.toThrow("client left");
      expect(await textOf((await egress.request(ask(server.url))).body)).toMatch(/^\d+$/);
      await reusable();
    }
    await egress.close();
    await server.close();
  });

  it("is not opened without limit for clients that leave while it connects", async () => {
    let connects = 0;
    const silent = await listenRaw(() => {
      connects += 1;
    });
    const egress = open(() => 2);
    const call = async () => {
      const leaving = new AbortController();
      const pending = egress.request(ask(silent.url.replace("http:", "https:"), { signal: leaving.signal }));
      leaving.abort(new Error("client left"));
      return pending;
    };
    const answers = await Promise.allSettled(Array.from({ length: 10 }, call));
    const left = answers.filter((answer) => answer.status === "rejected" && String(answer.reason).includes("client left"));
    const refused = answers.filter((answer) => answer.status === "rejected" && answer.reason.code === "overloaded");
    expect([left.length, refused.length]).toEqual([4, 6]);
    await until(() => connects === 4, { what: "those who left have connected" });
    await egress.close();
    await silent.close();
  });

  it("that cannot be opened does not occupy a slot once the provider is back", async () => {
    const egress = open(() => 1);
    const gone = await listen(() => undefined);
    await gone.close();
    for (let i = 0; i < 5; i++) expect(await codeOf(egress.request(ask(gone.url)))).toBe("upstream_error");
    const back = await listen(answerOwnPort, gone.port);
    expect(await textOf((await egress.request(ask(back.url))).body)).toMatch(/^\d+$/);
    await egress.close();
    await back.close();
  });

  it("delivers its answer to the end when its pool is given up, then closes; closing the egress cuts it", async () => {
    let bound = 2;
    const [egress, server] = [open(() => bound), await watched(answerOwnPort)];
    const begin = async () => {
      const answer = egress.request(ask(`${server.url}/held`));
      const response = await until(() => server.held.pop(), { what: "the request is under way" });
      response.write("begins, ");
      return { response, socket: response.socket, body: (await answer).body };
    };
    const [ends, cut] = [await begin(), await begin()];
    bound = 3;
    const elsewhere = await textOf((await egress.request(ask(server.url))).body);
    expect(server.sockets).toHaveLength(3);
    expect(elsewhere).toBe(String(server.sockets[2]?.remotePort));

    ends.response.end("ends");
    expect(await textOf(ends.body)).toBe("begins, ends");
    await until(() => ends.socket?.destroyed, { what: "the connection of the pool that is given up is closed" });
    expect(cut.socket?.destroyed).toBe(false);

    const text = textOf(cut.body);
    await Promise.all([expect(codeOf(text)).resolves.toBe("upstream_truncated"), egress.close()]);
    await until(() => server.sockets.every((socket) => socket.destroyed), { what: "all are closed" });
    await server.close();
  });

  it("is not retried when closing cuts it before its answer begins", async () => {
    const [egress, server] = [open(), await watched(answerOwnPort)];
    await textOf((await egress.request(ask(server.url))).body);
    await reusable();
    const pending = codeOf(egress.request(ask(`${server.url}/held`, { method: "POST", body: "{}" })));
    await until(() => server.held.length === 1, { what: "the request is under way on a kept connection" });
    await Promise.all([expect(pending).resolves.toBe("upstream_error"), egress.close()]);
    await reusable();
    expect([server.held.length, server.sockets.length]).toEqual([1, 1]);
    await server.close();
  });
});
