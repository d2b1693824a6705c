import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Admission } from "@sluice/admission/admission";
import { type AdmissionOptions, createAdmission } from "@sluice/admission/create-admission";
import { type Credit, createCredit } from "@sluice/admission/credit";
import { createSpendReader } from "@sluice/admission/spend-reader";
import { systemClock } from "@sluice/core/clock";
import type { BreakerState } from "@sluice/core/events";
import { newId } from "@sluice/core/ids";
import type { ProviderBreaker, ProviderTimeouts } from "@sluice/core/inputs/provider-options";
import type { Settings } from "@sluice/core/inputs/settings";
import { type Log, silentLog } from "@sluice/core/log";
import type { DialectName, RequestDetail, RequestRow } from "@sluice/core/requests";
import type { Prisma } from "@sluice/db/generated/client";
import { credentialPlace, proxyPlace, sealSecret } from "@sluice/db/secrets";
import type { Egress } from "@sluice/egress/contract";
import { createEgress } from "@sluice/egress/egress";
import { readCommittedCredit } from "@sluice/ledger/committed-credit";
import { createLedger } from "@sluice/ledger/ledger";
import { getRequest, listRequests } from "@sluice/ledger/query";
import type { Ledger } from "@sluice/ledger/records";
import { createLive, type Live } from "@sluice/live/live";
import type { Snapshot } from "@sluice/snapshot/config";
import { createSnapshot } from "@sluice/snapshot/create-snapshot";
import { until } from "@sluice/testing/deadline";
import { type MadeKey, makeKey, makePrice, makeProvider, providerSecretPlace, testSecret, uniqueName } from "@sluice/testing/factories";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import { startUpstream, type Upstream } from "@sluice/upstream/server";
import type { GatewayLimits } from "../src/context.ts";
import { createGateway, type Gateway, serverOptions } from "../src/gateway.ts";
import { refuseUnparsed } from "../src/unparsed.ts";

/** A provider of the test. Without a `baseUrl` it is the scripted upstream, addressed as the dialect's SDK would. */
export interface ProviderSpec {
  dialect: DialectName;
  /** A script after an `@` decides what the scripted upstream does: `sk@cut,3`. */
  secret?: string;
  baseUrl?: string;
  priority?: number;
  models?: string[];
  modelRedirects?: Prisma.InputJsonValue;
  groupPriorities?: Record<string, number>;
  schedule?: Prisma.InputJsonValue;
  timeouts?: ProviderTimeouts;
  breaker?: ProviderBreaker;
  /** In plain text. */
  credentials?: { label: string; weight?: number; secret: string }[];
  credentialOrder?: string;
  headers?: Record<string, string>;
  /** In plain text. */
  proxy?: string;
  groups?: string[];
  enabled?: boolean;
  costMultiplier?: string;
  serves?: string[];
}

export interface HarnessOptions {
  providers?: readonly ProviderSpec[];
  settings?: Partial<Settings>;
  limits?: Partial<GatewayLimits>;
  /** Models with a price (1 USD in, 2 USD out per million tokens). Scripts are part of the model name. */
  prices?: readonly string[];
  /** Default: none, so that limits are kept in process. The caller closes it. */
  redis?: AdmissionOptions["redis"];
  /** Wraps the ledger that the gateway uses, to make it fail. */
  wrapLedger?: (ledger: Ledger) => Ledger;
  log?: Log;
  trustedHops?: number;
}

/** The gateway on its real packages: Postgres, spool, live, admission, egress, and the scripted upstream. */
export interface Harness {
  url: string;
  server: Server;
  gateway: Gateway;
  database: TestDatabase;
  upstream: Upstream;
  snapshot: Snapshot;
  live: Live;
  ledger: Ledger;
  admission: Admission;
  credit: Credit;
  egress: Egress;
  /** A key without limits. */
  key: MadeKey;
  providerIds: string[];
  /** Providers and a key in a separate group, so that tests do not affect each other. */
  group(
    providers: readonly ProviderSpec[],
    keyFields?: Partial<Prisma.KeyUncheckedCreateInput>,
  ): Promise<{ key: string; keyId: string; group: string; providerIds: string[] }>;
  /** Sends a request with the default key, as JSON by default. */
  call(
    path: string,
    init?: { method?: string; body?: unknown; headers?: Record<string, string>; key?: string | null; signal?: AbortSignal },
  ): Promise<Response>;
  /** The settled row and detail of a request. */
  settled(requestId: string): Promise<{ row: RequestRow; detail: RequestDetail }>;
  /** All settled rows, once there are `count` of them and nothing is in flight. */
  rows(count: number): Promise<RequestRow[]>;
  /** The newest settled row that matches. */
  findRow(match: (row: RequestRow) => boolean): Promise<RequestRow>;
  /** Number of requests that the upstream has received. */
  upstreamCalls(): number;
  close(): Promise<void>;
}

/** Model names that tests use without a script. */
const plainModels = ["fake-plain", "claude-fake", "gemini-fake", "fake-embedding"];

/** The base URL in the form that each dialect's official SDK expects. */
export function baseUrlOf(dialect: DialectName, origin: string): string {
  return dialect === "openai" ? `${origin}/v1` : origin;
}

async function listen(server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Starts everything; close it in `afterAll`. */
export async function startHarness(options: HarnessOptions = {}): Promise<Harness> {
  const log = options.log ?? silentLog;
  const database = await createTestDatabase();
  const upstream = await startUpstream();
  const dir = await mkdtemp(join(tmpdir(), "sluice-gateway-"));
  const providers = options.providers ?? [{ dialect: "openai" }, { dialect: "anthropic" }, { dialect: "gemini" }];
  const addProviders = async (specs: readonly ProviderSpec[], group: string): Promise<string[]> => {
    const ids: string[] = [];
    for (const { secret = "sk-upstream", credentials = [], proxy, ...spec } of specs) {
      const id = newId();
      const sealed = {
        credentials: credentials.map(({ label, weight = 1, secret }) => ({
          ...{ label, weight, secret: sealSecret(testSecret, secret, providerSecretPlace(credentialPlace(id, label))) },
        })),
        proxy: proxy === undefined ? "" : sealSecret(testSecret, proxy, providerSecretPlace(proxyPlace(id))),
      };
      const baseUrl = baseUrlOf(spec.dialect, upstream.url);
      await makeProvider(database.prisma, { baseUrl, groups: [group], ...spec, ...sealed, id, secret });
      ids.push(id);
    }
    return ids;
  };
  const providerIds = await addProviders(providers, "default");
  for (const model of [...plainModels, ...(options.prices ?? [])]) await makePrice(database.prisma, { model });
  const key = await makeKey(database.prisma);

  for (const [name, value] of Object.entries({ "ledger.intervalMs": 10, ...options.settings })) {
    await database.prisma.setting.create({ data: { name, value } });
  }
  const snapshot = await createSnapshot({ pool: database.pool, redis: null, secret: testSecret, path: join(dir, "snapshot.json"), log });
  const settings = () => snapshot.current().settings;
  const live = createLive({ redisUrl: null, instanceId: "test", log, settings });
  const onTransition = (_breaker: BreakerState): void => undefined;
  const admission = createAdmission({
    breakerOf: (id) => snapshot.current().providers.find((provider) => provider.id === id)?.breaker,
    ...{ redis: options.redis ?? null, settings, onTransition, instanceId: "test", log },
    spend: createSpendReader(database.pool),
    // A busy machine answers late. No lease is renewed and nothing is reread meanwhile: the tests count commands.
    timing: { commandMs: 10_000, leaseMs: 600_000, refreshMs: 600_000 },
  });
  const credit = createCredit({
    ...{ redis: null, log, instanceId: "test", admits: true, onMoved: () => undefined },
    load: (userIds, requestIds) => readCommittedCredit(database.pool, userIds, requestIds),
  });
  const egress = createEgress({ allowPrivateHosts: ["127.0.0.1"], log });
  const ledger = await createLedger({
    dir: join(dir, "spool"),
    pool: database.pool,
    settings,
    clock: systemClock,
    log,
    instanceId: "test",
  });
  ledger.onSettled((ids) => {
    live.registry.settled(ids);
    credit.settled(ids);
  });
  const gateway = createGateway({
    snapshot,
    admission,
    credit,
    ledger: options.wrapLedger?.(ledger) ?? ledger,
    registry: live.registry,
    sessions: live.sessions,
    figures: live.figures,
    commands: live.commands,
    egress,
    log,
    trustedHops: options.trustedHops ?? 0,
    limits: { anonymousRowsPerSecond: 1_000, ...options.limits },
  });
  const server = createServer(serverOptions, (req, res) => {
    if (gateway.owns(req)) gateway.handle(req, res);
    else res.writeHead(404, { "content-length": 0 }).end();
  });
  refuseUnparsed(server);
  const url = await listen(server);

  return {
    ...{ url, server, gateway, database, upstream, snapshot, live, ledger, admission, credit, egress, key, providerIds },
    async group(specs, keyFields = {}) {
      const group = uniqueName("group");
      const ids = await addProviders(specs, group);
      const made = await makeKey(database.prisma, { group, ...keyFields });
      await snapshot.refresh();
      return { key: made.secret, keyId: made.key.id, group, providerIds: ids };
    },
    call(path, { method = "POST", body, headers = {}, key: secret = key.secret, signal } = {}) {
      const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
      return fetch(`${url}${path}`, {
        method,
        headers: {
          ...(secret === null ? {} : { authorization: `Bearer ${secret}` }),
          ...(text === undefined ? {} : { "content-type": "application/json" }),
          ...headers,
        },
        body: text,
        signal,
      });
    },
    settled: (requestId) =>
      until(
        async () => {
          const found = await getRequest(database.pool, requestId);
          return found?.detail ? { row: found.row, detail: found.detail } : null;
        },
        { what: `the row of ${requestId}` },
      ),
    findRow: (match) =>
      until(async () => (await listRequests(database.pool, { filter: {}, limit: 1_000, scope: {} })).rows.find(match), {
        what: "a matching row",
      }),
    rows: (count) =>
      until(
        async () => {
          const { rows } = await listRequests(database.pool, { filter: {}, limit: 1_000, scope: {} });
          return rows.length >= count && gateway.stats().inFlight === 0 ? rows : null;
        },
        { what: `${count} rows` },
      ),
    upstreamCalls: () => upstream.oracle().filter(({ line }) => line === "opened").length,
    async close() {
      await gateway.close();
      server.closeAllConnections();
      server.close();
      await ledger.close({ graceMs: 10_000 });
      await egress.close();
      await admission.close();
      await credit.close();
      await live.close();
      await snapshot.close();
      await upstream.stop();
      await database.drop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
