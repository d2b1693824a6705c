import type { Dispatcher } from "undici";
import { expect, it } from "vitest";
import { type ConnectionAware, OriginPool } from "../src/origin-pool.ts";

it("a way that cannot be opened is tried once, whatever the failure is called", async () => {
  let tries = 0;
  const failed = Promise.withResolvers<Error>();
  const pool = new OriginPool("http://127.0.0.1:1", {
    connections: 1,
    keepAliveMs: 1_000,
    // By this name undici takes it for the loss of a connection that was there, and opens the next one.
    connector: () => (_options, callback) => {
      tries += 1;
      if (tries > 1) failed.resolve(new Error("it was tried again"));
      else setImmediate(() => callback(Object.assign(new Error("gone"), { code: "UND_ERR_SOCKET" }), null));
    },
  });
  const handler: ConnectionAware & Dispatcher.DispatchHandler = {
    connection: null,
    onRequestStart: () => undefined,
    onResponseStart: () => undefined,
    onResponseData: () => undefined,
    onResponseEnd: () => undefined,
    onResponseError: (_controller, error) => failed.resolve(error),
  };
  pool.dispatch({ path: "/", method: "GET" }, handler);
  expect(await failed.promise).toBeInstanceOf(Error);
  expect(tries).toBe(1);
  await pool.destroy();
});
