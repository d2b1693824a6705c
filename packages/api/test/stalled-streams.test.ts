import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { StalledStreams } from "@sluice/api/stalled-streams";
import { expect, it } from "vitest";

it("a viewer who stops reading is closed, one who reads is not", async () => {
  const stalled = new StalledStreams(200);
  const responses: ServerResponse[] = [];
  const server = createServer((_, response) => {
    stalled.watch(response);
    responses.push(response);
    response.write("x");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const [idle, reader] = [connect(port), connect(port)];
  reader.resume();
  for (const socket of [idle, reader]) {
    socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    await once(server, "request");
  }
  const [toIdle, toReader] = responses;
  idle.pause();
  toIdle?.write(Buffer.alloc(32 * 2 ** 20));
  toReader?.write("y");
  await once(toIdle as ServerResponse, "close");
  expect(toReader?.destroyed).toBe(false);
  stalled.stop();
  for (const socket of [idle, reader]) socket.destroy();
  server.close();
});
