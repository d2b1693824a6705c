import type { Socket } from "node:net";
import { systemClock } from "@sluice/core/clock";
import { afterAll, beforeAll, expect, it } from "vitest";
import { guardedConnector } from "../src/connector.ts";
import { createResolver } from "../src/resolver.ts";
import { listen } from "./servers.ts";

let local: Awaited<ReturnType<typeof listen>>;
beforeAll(async () => {
  local = await listen((_request, response) => response.end("secret"));
});
afterAll(() => local.close());

function connectTo(allowPrivate: boolean): Promise<Socket> {
  // The host is an IP literal, for which no lookup ever runs: as if the check of the URL had been bypassed.
  const target = { origin: local.url, host: "127.0.0.1", path: "/", allowPrivate };
  const connect = guardedConnector(
    createResolver(systemClock, async () => []),
    target,
    2_000,
  );
  return new Promise((resolve, reject) => {
    connect({ hostname: "127.0.0.1", protocol: "http:", port: String(local.port) }, (error, socket) =>
      error ? reject(error) : resolve(socket as Socket),
    );
  });
}

it("a connection that reached a private peer after all is closed before a byte is written", async () => {
  await expect(connectTo(false)).rejects.toMatchObject({ code: "upstream_blocked" });
  const socket = await connectTo(true);
  expect(socket.remoteAddress).toBe("127.0.0.1");
  socket.destroy();
});
