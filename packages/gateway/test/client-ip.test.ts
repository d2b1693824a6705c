import type { IncomingMessage } from "node:http";
import { expect, it } from "vitest";
import { clientIp } from "../src/call.ts";

const request = (peer: string, forwarded?: string): IncomingMessage =>
  ({
    socket: { remoteAddress: peer },
    headers: forwarded === undefined ? {} : { "x-forwarded-for": forwarded },
  }) as unknown as IncomingMessage;

it.each([
  ["the peer without trusted proxies", request("::ffff:192.0.2.1", "198.51.100.9"), 0, "192.0.2.1"],
  ["what our one proxy saw, not what the client wrote", request("10.0.0.1", "6.6.6.6, 198.51.100.9"), 1, "198.51.100.9"],
  ["what the outer of two proxies saw", request("10.0.0.1", "6.6.6.6, 198.51.100.9, 10.0.0.2"), 2, "198.51.100.9"],
  [
    "the peer when there are fewer entries than proxies, for a client may have written them",
    request("10.0.0.1", "198.51.100.9"),
    3,
    "10.0.0.1",
  ],
  ["the peer when the entry is no address", request("10.0.0.1", "unknown"), 1, "10.0.0.1"],
  ["the peer when nothing was forwarded", request("10.0.0.1"), 1, "10.0.0.1"],
])("the client's address is %s", (_what, req, hops, expected) => {
  expect(clientIp(req, hops)).toBe(expected);
});
