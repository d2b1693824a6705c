import { setTimeout as sleep } from "node:timers/promises";
import { cookieName } from "@sluice/api/login-cookie";
import type { LiveFrame } from "@sluice/core/events";
import { formatUsd } from "@sluice/core/money";
import type { RequestRow } from "@sluice/core/requests";
import type { Ctx } from "@sluice/services/context";
import { endBorrowedLogin, openBorrowedLogin } from "@sluice/services/logins/borrow-login";
import { serverUrl } from "../server-url.ts";
import { type Command, type CommandInput, optional } from "./command.ts";
import { withServices } from "./with-services.ts";

const RETRY_MS = 2_000;

/**
 * Follows the running server's own event stream, so it works with and without Redis. For that it creates a temporary administrator's
 * login in Postgres: anyone who can read the data directory could do so, and nobody else gains access.
 */
export const logsTail: Command = {
  name: "logs tail",
  usage: "[--url URL] [--json]",
  summary: "follows requests as they start and finish, until Ctrl-C",
  options: { url: { type: "string" }, json: { type: "boolean" } },
  async run(input) {
    return withServices(input, async (ctx) => {
      const login = await openBorrowedLogin(ctx);
      try {
        await follow(input, ctx, login.token);
        return 0;
      } finally {
        await endBorrowedLogin(ctx, login.token);
      }
    });
  },
};

async function follow(input: CommandInput, ctx: Ctx, token: string): Promise<void> {
  const { terminal, env } = input;
  const url = optional(input, "url") ?? serverUrl(env);
  const cookie = `${cookieName(env.publicUrl ?? ctx.publicUrl)}=${token}`;
  let after = "";
  while (!terminal.signal.aborted) {
    try {
      for await (const frame of readFrames(url, { cookie, after, signal: terminal.signal })) {
        after = frame.id;
        print(input, frame);
      }
    } catch (thrown) {
      if (terminal.signal.aborted) return;
      terminal.err(`The server at ${url} does not respond (${thrown instanceof Error ? thrown.message : String(thrown)}); retrying.`);
    }
    await sleep(RETRY_MS, undefined, { signal: terminal.signal }).catch(() => undefined);
  }
}

async function* readFrames(
  url: string,
  { cookie, after, signal }: { cookie: string; after: string; signal: AbortSignal },
): AsyncGenerator<LiveFrame> {
  const input = encodeURIComponent(JSON.stringify({ json: { lastEventId: after || null } }));
  const response = await fetch(`${url}/trpc/live.events?input=${input}`, { headers: { cookie, accept: "text/event-stream" }, signal });
  if (!response.ok || !response.body) throw new Error(`status ${response.status}`);
  const decoder = new TextDecoder();
  let buffered = "";
  for await (const chunk of response.body) {
    buffered += decoder.decode(chunk as Uint8Array, { stream: true });
    const messages = buffered.split("\n\n");
    buffered = messages.pop() ?? "";
    for (const message of messages) {
      const lines = message.split("\n");
      const data = lines.find((line) => line.startsWith("data: "))?.slice("data: ".length);
      if (lines.includes("event: serialized-error")) throw new Error("the server refused the login");
      if (data && !lines.some((line) => line.startsWith("event: "))) yield (JSON.parse(data) as { json: LiveFrame }).json;
    }
  }
}

function print({ terminal, options }: CommandInput, frame: LiveFrame): void {
  if (frame.reset || frame.gap) terminal.err(`… ${frame.gap ? `${frame.gap} events` : "some events"} were missed`);
  for (const event of frame.events) {
    if (event.type !== "request.started" && event.type !== "request.finished" && event.type !== "request.refused") continue;
    terminal.out(options.json ? JSON.stringify(event.row) : lineOf(event.row));
  }
}

/** `02:03:04.567 done 200 claude-a 1,203 ms in 100 out 20 $0.00014 019a…`. */
function lineOf(row: RequestRow): string {
  const time = new Date(row.startedAtMs).toISOString().slice(11, 23);
  const cost = row.costNanoUsd === null ? "" : `$${formatUsd(BigInt(row.costNanoUsd))}`;
  const parts = [time, row.state, row.status || "", row.model || "-", row.durationMs === null ? "" : `${row.durationMs} ms`];
  const tokens = row.state === "in_flight" ? "" : `in ${row.usage.input} out ${row.usage.output}`;
  // Clients choose some of this text, and a terminal must not get control characters.
  return [...parts, tokens, cost, row.errorCode, row.id]
    .filter((part) => part !== "")
    .join(" ")
    .replace(/\p{Cc}/gu, "�");
}
