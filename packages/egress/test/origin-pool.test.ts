import type { Dispatcher } from "undici";
import { expect, it } from "vitest";
import { type ConnectionAware, OriginPool } from "../src/origin-pool.ts";

it("a connection that cannot be opened is tried once, whatever the error is called", async () => {
  let tries = 0;
  const failed = Promise.withResolvers<Error>();
  const pool = new OriginPool("http://127.0.0.1:1", {
    connections: 1,
    keepAliveMs: 1_000,
    // This code makes undici believe that an existing connection was lost, and open the next one.
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
