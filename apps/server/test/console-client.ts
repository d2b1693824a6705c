import type { AppRouter } from "@sluice/api/router-type";
import type { LiveFrame, Topic } from "@sluice/core/events";
import { unpackTables, withTables } from "@sluice/core/packed-tables";
import { serverAdmin } from "@sluice/testing/server-process";
import { createTRPCClient, httpBatchLink } from "@trpc/client";
import superjson from "superjson";

/** The console as a browser uses it: signed in as the administrator, over HTTP. */
export interface ConsoleClient {
  url: string;
  cookie: string;
  api: ReturnType<typeof createTRPCClient<AppRouter>>;
}

export async function openConsole(url: string): Promise<ConsoleClient> {
  const answer = await fetch(`${url}/auth/login`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: url },
    body: JSON.stringify(serverAdmin),
  });
  if (!answer.ok) throw new Error(`sign-in failed: ${answer.status} ${await answer.text()}`);
  const cookie = answer.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  const link = httpBatchLink({ url: `${url}/trpc`, transformer: withTables(superjson), headers: { cookie, origin: url } });
  return { url, cookie, api: createTRPCClient<AppRouter>({ links: [link] }) };
}

export interface Viewer {
  frames: LiveFrame[];
  /** Ids of requests seen to finish. */
  finished: Set<string>;
  /** Frames that told the viewer to reload its lists. */
  resets: LiveFrame[];
  connections: number;
  close(): void;
}

/** Follows `live.events` like an EventSource, for some topics or all: reconnects with the last id it saw until it is closed. */
export function watch({ url, cookie }: ConsoleClient, topics?: Topic[]): Viewer {
  const abort = new AbortController();
  const viewer: Viewer = { frames: [], finished: new Set(), resets: [], connections: 0, close: () => abort.abort() };
  void follow();
  return viewer;

  async function follow(): Promise<void> {
    while (!abort.signal.aborted) {
      await connect().catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async function connect(): Promise<void> {
    const lastEventId = viewer.frames.at(-1)?.id ?? null;
    const input = encodeURIComponent(JSON.stringify(superjson.serialize({ lastEventId, topics })));
    const headers = { accept: "text/event-stream", cookie };
    const response = await fetch(`${url}/trpc/live.events?input=${input}`, { headers, signal: abort.signal });
    if (!response.ok || !response.body) return;
    viewer.connections += 1;
    const decoder = new TextDecoder();
    let buffered = "";
    for await (const chunk of response.body) {
      buffered += decoder.decode(chunk as Uint8Array, { stream: true });
      const messages = buffered.split("\n\n");
      buffered = messages.pop() ?? "";
      for (const message of messages) take(message);
    }
  }

  function take(message: string): void {
    const fields = new Map(message.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]));
    const data = fields.get("data") ?? "";
    if (fields.has("event") || data === "") return;
    const frame = unpackTables(superjson.parse(data)) as LiveFrame;
    viewer.frames.push(frame);
    if (frame.reset) viewer.resets.push(frame);
    for (const event of frame.events) if (event.type === "request.finished") viewer.finished.add(event.row.id);
  }
}
