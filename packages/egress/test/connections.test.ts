import { silentLog } from "@sluice/core/log";
import { describe, expect, it } from "vitest";
import { createEgress } from "../src/egress.ts";
import { ask, listen, listenRaw, textOf } from "./servers.ts";

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

  it("300 at once open no more than the bound, and who finds none free is told so at once", async () => {
    let bound = 256;
    const [egress, server] = [open(() => bound), await counted()];
    const call = async () => textOf((await egress.request(ask(server.url))).body);
    const answers = await Promise.allSettled(Array.from({ length: 300 }, call));
    expect(server.connects()).toBeLessThanOrEqual(256);
    expect(answers.filter(({ status }) => status === "fulfilled")).toHaveLength(256);
    for (const answer of answers) if (answer.status === "rejected") expect(answer.reason).toMatchObject({ code: "overloaded" });
    // The next 256 use what is there.
    await Promise.all(Array.from({ length: 256 }, call));
    expect(server.connects()).toBeLessThanOrEqual(256);
    // Another bound holds for what comes next, beside what is under way.
    const before = call();
    bound = 300;
    expect(await Promise.all([before, ...Array.from({ length: 300 }, call)])).toHaveLength(301);
    bound = 2;
    const narrow = await Promise.allSettled(Array.from({ length: 3 }, call));
    expect(narrow.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected"]);
    await egress.close();
    await server.close();
  });

  it("one that the provider closed while it was idle is replaced, and nobody hears of it", async () => {
    const egress = open();
    // Answers once per connection, says nothing of closing it, and hangs up on whatever comes second.
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
