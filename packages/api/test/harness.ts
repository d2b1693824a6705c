import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAdmission } from "@sluice/admission/create-admission";
import { createCredit } from "@sluice/admission/credit";
import { type Api, createApi } from "@sluice/api/create-api";
import { createCache } from "@sluice/cache/create-cache";
import { systemClock } from "@sluice/core/clock";
import type { LiveFrame } from "@sluice/core/events";
import { type Log, silentLog } from "@sluice/core/log";
import { unpackTables } from "@sluice/core/packed-tables";
import { createPool } from "@sluice/db/postgres";
import { createRedis, waitForRedis } from "@sluice/db/redis";
import { createEgress } from "@sluice/egress/egress";
import { readCommittedCredit } from "@sluice/ledger/committed-credit";
import { createLive, type Live } from "@sluice/live/live";
import type { Services } from "@sluice/services/context";
import { createServices } from "@sluice/services/create-services";
import { hashPassword } from "@sluice/services/logins/password";
import { createSnapshot } from "@sluice/snapshot/create-snapshot";
import { makeUser, testSecret } from "@sluice/testing/factories";
import type { TestDatabase } from "@sluice/testing/postgres";
import SuperJSON from "superjson";

export interface TestApi {
  url: string;
  api: Api;
  services: Services;
  live: Live;
  /** Its data directory. */
  dir: string;
  close(): Promise<void>;
}

export interface TestApiOptions {
  database: TestDatabase;
  redisUrl?: string;
  publicUrl?: string;
  consoleDir?: string;
  log?: Log;
  name?: string;
}

/** One instance of the API over the real packages, on its own port. */
export async function startApi(options: TestApiOptions): Promise<TestApi> {
  const { database, redisUrl, log = silentLog, name = "api" } = options;
  const dir = await mkdtemp(join(tmpdir(), "sluice-api-"));
  const redis = redisUrl ? createRedis(redisUrl, { name }) : null;
  if (redis) await waitForRedis(redis, 5_000);
  const snapshot = await createSnapshot({ pool: database.pool, redis, secret: testSecret, path: join(dir, "snapshot.json"), log });
  const settings = () => snapshot.current().settings;
  const live = createLive({ redisUrl: redisUrl ?? null, instanceId: name, log, settings });
  const admission = createAdmission({ redis, settings, onTransition: () => undefined, instanceId: name, log });
  // As in the server: holds keep their account locked while the balance is read on another connection.
  const balances = createPool(database.url, { max: 2, applicationName: database.name });
  const credit = createCredit({
    ...{ redis, log, instanceId: name, admits: true, onMoved: () => undefined },
    load: (userIds, requestIds) => readCommittedCredit(balances, userIds, requestIds),
  });
  const egress = createEgress({ allowPrivateHosts: ["127.0.0.1"], log, clock: systemClock });
  const server = createServer((request, response) => api.routing(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const cache = createCache({ redis, version: "1.2.3", settings, configVersion: () => snapshot.current().version });
  const services = createServices({
    ...{ prisma: database.prisma, pool: database.pool, redis, log, secret: testSecret },
    ...{ live, snapshot, cache, admission, credit, egress },
    version: "1.2.3",
    publicUrl: options.publicUrl ?? url,
  });
  const api = createApi({ services, consoleDir: options.consoleDir ?? join(dir, "no-console"), trustedHops: 0 });
  await api.ready();
  return {
    url,
    api,
    services,
    live,
    dir,
    async close() {
      await api.close();
      server.closeAllConnections();
      server.close();
      await egress.close();
      await admission.close();
      await credit.close();
      await balances.end();
      await live.close();
      cache.close();
      await snapshot.close();
      redis?.disconnect();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

export const password = "a password of some length";
let passwordHash: Promise<string> | undefined;

/** A user who can sign in with `password`. */
export async function makePerson(database: TestDatabase, role: "admin" | "user" = "user") {
  passwordHash ??= hashPassword(password);
  return makeUser(database.prisma, { role, passwordHash: await passwordHash });
}

export interface Answer {
  status: number;
  /** Deserialised data of a success. */
  data: unknown;
  /** Error code of a refusal; empty for a success. */
  code: string;
  error: { message: string; requestId: string; retryable: boolean; field: string | null } | null;
  headers: Headers;
  text: string;
}

export interface CallOptions {
  cookie?: string;
  headers?: Record<string, string>;
}

/** One tRPC call, as a browser makes it. */
export async function call(
  url: string,
  type: "query" | "mutation",
  path: string,
  input?: unknown,
  { cookie, headers }: CallOptions = {},
): Promise<Answer> {
  const body = JSON.stringify(SuperJSON.serialize(input));
  const target = type === "query" ? `${url}/trpc/${path}?input=${encodeURIComponent(body)}` : `${url}/trpc/${path}`;
  const response = await fetch(target, {
    method: type === "query" ? "GET" : "POST",
    headers: { origin: url, ...(cookie && { cookie }), ...(type === "mutation" && { "content-type": "application/json" }), ...headers },
    ...(type === "mutation" && { body }),
  });
  return readAnswer(response);
}

/** A plain POST with a JSON body. */
export async function post(url: string, path: string, body: unknown, { cookie, headers }: CallOptions = {}): Promise<Answer> {
  const response = await fetch(`${url}${path}`, {
    method: "POST",
    headers: { origin: url, "content-type": "application/json", ...(cookie && { cookie }), ...headers },
    body: JSON.stringify(body),
  });
  return readAnswer(response);
}

async function readAnswer(response: Response): Promise<Answer> {
  const text = await response.text();
  const json = JSON.parse(text) as Record<string, unknown>;
  const { status, headers } = response;
  const result = json.result as { data: Parameters<typeof SuperJSON.deserialize>[0] } | undefined;
  if (result) return { status, headers, text, code: "", error: null, data: unpackTables(SuperJSON.deserialize(result.data)) };
  const raw = json.error as Record<string, unknown> | undefined;
  if (!raw) return { status, headers, text, code: "", error: null, data: json };
  const shape =
    "json" in raw
      ? (SuperJSON.deserialize(raw as unknown as Parameters<typeof SuperJSON.deserialize>[0]) as { message: string; data: object })
      : null;
  const error = (shape ? { message: shape.message, ...shape.data } : raw) as NonNullable<Answer["error"]> & { code: string };
  return { status, headers, text, code: error.code, error, data: null };
}

/** Signs in and returns the cookie in the form that a browser sends. */
export async function signIn(url: string, email: string): Promise<string> {
  const answer = await post(url, "/auth/login", { email, password });
  if (answer.status !== 200) throw new Error(`sign-in failed: ${answer.text}`);
  return cookieOf(answer.headers);
}

/** As {@link signIn}, by a client key alone. */
export async function signInByKey({ url, services }: TestApi, key: string): Promise<string> {
  await services.snapshot.refresh();
  const answer = await post(url, "/auth/key-login", { key });
  if (answer.status !== 200) throw new Error(`sign-in by key failed: ${answer.text}`);
  return cookieOf(answer.headers);
}

export function cookieOf(headers: Headers): string {
  return headers.getSetCookie()[0]?.split(";")[0] ?? "";
}

export interface Stream {
  status: number;
  frames: LiveFrame[];
  /** Codes of errors sent inside the stream. */
  errors: string[];
  /** Whether the server sent "return", after which clients do not reconnect. */
  returned: boolean;
  /** Resolves when the server has ended the stream. */
  ended: Promise<void>;
  close(): void;
}

/** Opens a subscription like EventSource does; `live.events` by default. */
export async function openStream(
  url: string,
  {
    cookie,
    headers,
    lastEventId,
    path = "live.events",
    topics,
  }: CallOptions & { lastEventId?: string; path?: string; topics?: string[] } = {},
): Promise<Stream> {
  const input = encodeURIComponent(JSON.stringify(SuperJSON.serialize({ lastEventId: lastEventId ?? null, ...(topics && { topics }) })));
  const abort = new AbortController();
  const response = await fetch(`${url}/trpc/${path}?input=${input}`, {
    headers: { accept: "text/event-stream", ...(cookie && { cookie }), ...headers },
    signal: abort.signal,
  });
  const stream: Stream = {
    status: response.status,
    frames: [],
    errors: [],
    returned: false,
    ended: Promise.resolve(),
    close: () => abort.abort(),
  };
  const read = async (): Promise<void> => {
    let buffered = "";
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      buffered += decoder.decode(chunk as Uint8Array, { stream: true });
      const messages = buffered.split("\n\n");
      buffered = messages.pop() ?? "";
      for (const message of messages) take(stream, message);
    }
  };
  stream.ended = read().catch(() => undefined);
  return stream;
}

function take(stream: Stream, message: string): void {
  const field = (name: string): string | undefined =>
    message
      .split("\n")
      .find((line) => line.startsWith(`${name}: `))
      ?.slice(name.length + 2);
  const event = field("event");
  const data = field("data") ?? "";
  if (event === "return") stream.returned = true;
  else if (event === "serialized-error") stream.errors.push((SuperJSON.parse(data) as { data: { code: string } }).data.code);
  else if (event === undefined && data !== "") stream.frames.push(unpackTables(SuperJSON.parse(data)) as LiveFrame);
}
