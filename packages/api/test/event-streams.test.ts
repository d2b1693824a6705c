import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { EventStreams, PING_MS, SILENCE_MS } from "@sluice/api/event-streams";
import { until } from "@sluice/testing/deadline";
import { tracked } from "@trpc/server";
import { sseStreamProducer } from "@trpc/server/unstable-core-do-not-import";
import SuperJSON from "superjson";
import { afterEach, describe, expect, it } from "vitest";

const open: { close(): void }[] = [];
afterEach(() => {
  for (const each of open.splice(0)) each.close();
});

/** A server that answers every request by `send`, and its responses. */
async function serve(send: (response: ServerResponse) => Promise<void>): Promise<{ port: number; responses: ServerResponse[] }> {
  const responses: ServerResponse[] = [];
  const server = createServer((_, response) => {
    responses.push(response);
    void send(response);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  open.push({
    close() {
      server.closeAllConnections();
      server.close();
    },
  });
  return { port: (server.address() as AddressInfo).port, responses };
}

const frame = (n: number) => tracked(`e:${n}-0`, { id: `e:${n}-0`, events: [{ type: "price.changed", id: "ä\n" }], serverNowMs: n });
const shape = (thrown: unknown) => ({ message: String(thrown) });

describe("a stream reads like tRPC's own", () => {
  const endings: [how: string, ending: () => AsyncIterable<unknown>][] = [
    ["ends", async function* () {}],
    ["is to be continued", () => failing(new DOMException("over", "AbortError"))],
    ["fails", () => failing(new RangeError("no"))],
  ];

  it.each(endings)("when it %s", async (_, ending) => {
    const values = async function* () {
      yield frame(1);
      yield frame(2);
      yield* ending();
    };
    const streams = new EventStreams();
    const { port } = await serve((response) => streams.send(response, async () => values(), shape));
    const ours = await (await fetch(`http://127.0.0.1:${port}`)).text();
    const theirs = sseStreamProducer({
      data: values(),
      serialize: SuperJSON.serialize,
      formatError: ({ error }) => shape(error instanceof Error ? (error.cause ?? error) : error),
      ping: { enabled: true, intervalMs: PING_MS },
      client: { reconnectAfterInactivityMs: SILENCE_MS },
    });
    expect(ours).toBe(await new Response(theirs).text());
    expect(ours).toContain("\nid: e:2-0\n");
  });
});

async function* failing(error: Error): AsyncGenerator<never> {
  await Promise.reject(error);
  yield undefined as never;
}

describe("a stream", () => {
  it("pings while it has nothing to say", async () => {
    const streams = new EventStreams({ pingMs: 20 });
    const silence = Promise.withResolvers<void>();
    const { port } = await serve((response) => streams.send(response, async () => waiting(silence.promise), shape));
    const { socket, text } = await reader(port);
    await until(() => text().split("event: ping\ndata: \n\n").length > 2, { what: "two pings" });
    silence.resolve();
    socket.destroy();
  });

  it("ends when its viewer stops reading, while that of a viewer who reads continues", async () => {
    const streams = new EventStreams({ stallMs: 200 });
    const big = tracked("e:1-0", { text: "x".repeat(32 * 2 ** 20) });
    const silence = Promise.withResolvers<void>();
    const { port, responses } = await serve((response) =>
      streams.send(response, async () => waiting(silence.promise, response.req.url === "/big" ? big : frame(1)), shape),
    );
    const idle = connect(port, "127.0.0.1").pause();
    idle.write("GET /big HTTP/1.1\r\nhost: a\r\n\r\n");
    const { socket, text } = await reader(port);
    await until(() => responses.length === 2, { what: "both are served" });
    await until(() => responses.some(({ destroyed }) => destroyed), { what: "the one is closed" });
    expect(text()).toContain("id: e:1-0");
    expect(responses.map(({ destroyed }) => destroyed).sort()).toEqual([false, true]);
    silence.resolve();
    for (const each of [idle, socket]) each.destroy();
  });

  it("is released with its viewer, and a message for many viewers is serialised once", async () => {
    const streams = new EventStreams();
    let made = 0;
    const shared = tracked("e:1-0", {
      toJSON: () => {
        made += 1;
        return {};
      },
    });
    let ended = 0;
    const { port, responses } = await serve(async (response) => {
      const gone = Promise.withResolvers<void>();
      response.once("close", gone.resolve);
      await streams.send(response, async () => waiting(gone.promise, shared), shape);
      ended += 1;
    });
    const readers = await Promise.all(Array.from({ length: 20 }, () => reader(port)));
    await until(() => readers.every(({ text }) => text().includes("id: e:1-0")), { what: "all have it" });
    expect(made).toBe(1);
    expect(responses.map((response) => response.listenerCount("drain"))).toEqual(responses.map(() => 1));
    for (const { socket } of readers) socket.destroy();
    await until(() => ended === 20, { what: "all are let go" });
  });
});

async function* waiting(silence: Promise<void>, ...values: unknown[]): AsyncGenerator<unknown> {
  yield* values;
  await silence;
}

async function reader(port: number): Promise<{ socket: Socket; text: () => string }> {
  const socket = connect(port, "127.0.0.1");
  const chunks: string[] = [];
  socket.setEncoding("utf8").on("data", (chunk: string) => chunks.push(chunk));
  socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  await once(socket, "data");
  return { socket, text: () => chunks.join("") };
}
