import { basePath, type Operation, pathFields } from "@sluice/api/rest/operation";
import { operations } from "@sluice/api/rest/operations";
import { newId } from "@sluice/core/ids";
import type { RequestRow } from "@sluice/core/requests";
import type { Key, Price, Provider, User } from "@sluice/db/generated/client";
import { until } from "@sluice/testing/deadline";
import { makeKey, makePrice, makeProvider, makeRequestDetail, makeRequestRow, requestRow, uniqueName } from "@sluice/testing/factories";
import type { TestDatabase } from "@sluice/testing/postgres";
import { makePerson, password, type TestApi } from "./harness.ts";

/**
 * The inputs with which the tests of access and of secrets call every procedure and route. One that is missing here fails them. Add a
 * line: `"noun.verb": (of) => [input, …]`, where `of` are the things of one user.
 *
 * - Every field that takes an id, a filter, a cursor or a position must occur in some input, so that a replay by another user is tried.
 * - The first input must succeed for the owner of the things, or for an administrator where only those may call.
 */
export type Inputs = (of: Things) => unknown[] | Promise<unknown[]>;

/** Things of one user, created for each use: a mutation may spoil them. */
export interface Things {
  database: TestDatabase;
  user: User;
  /** A user whom nothing refers to. */
  free: User;
  key: Key;
  /** The key's text, as a client sends it. */
  keySecret: string;
  /** A row in Postgres, with its details. */
  row: RequestRow;
  /** A row in the registry. */
  inFlight: RequestRow;
  sessionId: string;
  provider: Provider;
  price: Price;
  /** Bus position before any of it. */
  position: string;
}

const none: Inputs = () => [undefined];
const webhook = { url: "http://127.0.0.1:9/hook" };
const provider = { dialect: "openai", baseUrl: "http://127.0.0.1:9/v1" };

export const procedureSweep: Record<string, Inputs> = {
  "alerts.open": none,
  "alerts.past": ({ row }) => [{}, { cursor: row.id }],
  "alerts.rules": none,
  "alerts.createRule": ({ key }) => [{ kind: "cost", name: uniqueName("rule"), scope: "key", scopeId: key.id }],
  "alerts.updateRule": async ({ database }) => [{ id: await makeAlertRule(database), threshold: 2 }],
  "alerts.deleteRule": async ({ database }) => [{ id: await makeAlertRule(database) }],
  "alerts.channels": none,
  "alerts.createChannel": () => [{ kind: "webhook", name: uniqueName("channel"), config: webhook }],
  "alerts.updateChannel": async ({ database }) => [{ id: await makeAlertChannel(database), kind: "webhook", enabled: false }],
  "alerts.deleteChannel": async ({ database }) => [{ id: await makeAlertChannel(database) }],
  "alerts.testChannel": async ({ database }) => [{ id: await makeAlertChannel(database) }],
  "caches.clear": () => [{ kind: "stats" }],
  "caches.resetFigures": none,
  "credits.account": ({ user }) => [{ userId: user.id }, {}],
  "credits.entries": ({ user, row }) => [{ filter: { userId: user.id } }, { filter: { kind: "top_up" } }, { cursor: row.id }],
  "credits.topUp": ({ user }) => [{ userId: user.id, amountUsd: "10", reason: "Invoice 7", idempotencyKey: newId() }],
  "credits.adjust": ({ user }) => [{ userId: user.id, amountUsd: "-0.5", reason: "Counted twice", idempotencyKey: newId() }],
  "credits.refund": ({ user, row }) => [
    { userId: user.id, amountUsd: "0.5", reason: "Bad answer", idempotencyKey: newId() },
    { userId: user.id, amountUsd: "0.1", reason: "Bad answer", idempotencyKey: newId(), requestId: row.id },
  ],
  "credits.updateAccount": ({ user }) => [{ userId: user.id, billing: "both", floorUsd: "-1" }],
  "groups.list": none,
  "groups.set": () => [{ name: "default", costMultiplier: "1.5", rpm: 100_000 }],
  "groups.delete": async ({ database }) => [{ name: await makeGroup(database) }],
  "keys.list": ({ user, key }) => [{ userId: user.id, fields: ["owner", "totals"] }, { cursor: key.id }, { search: user.name }],
  "keys.page": ({ user }) => [{ userId: user.id, fields: ["owner"] }, { search: user.email }],
  "keys.limits": ({ key }) => [{ id: key.id }],
  "keys.check": ({ key, price }) => [{ id: key.id, model: price.model }],
  "keys.rotate": ({ key }) => [{ id: key.id, overlapSeconds: 60 }],
  "keys.create": ({ user }) => [{ userId: user.id, name: uniqueName("key") }],
  "keys.update": ({ key }) => [{ id: key.id, name: uniqueName("renamed") }],
  "keys.revoke": ({ key }) => [{ id: key.id }],
  "live.events": ({ position }) => [{ after: position }, { lastEventId: position }],
  "logins.current": none,
  // All people share this password, so it must not change.
  "logins.changePassword": () => [{ current: password, password }],
  "logs.list": ({ user, key, row, inFlight, sessionId, provider }) => [
    {},
    ...[{ requestId: row.id }, { requestId: inFlight.id }, { userId: user.id }, { keyId: key.id }, { sessionId }].map((filter) => ({
      filter,
    })),
    { filter: { providerId: provider.id } },
    { cursor: row.id },
  ],
  "logs.cancel": ({ inFlight, row }) => [{ id: inFlight.id }, { id: row.id }],
  "logs.histogram": ({ user, key, provider }) => [
    {},
    ...[{ userId: user.id }, { keyId: key.id }, { providerId: provider.id }].map((filter) => ({ filter })),
  ],
  "logs.models": none,
  "logs.get": ({ row, inFlight }) => [{ id: row.id }, { id: inFlight.id }],
  "logs.byIds": ({ row, inFlight }) => [{ ids: [row.id, inFlight.id] }],
  "names.list": none,
  "overview.latency": ({ provider }) => [undefined, { range: "7d", providerId: provider.id }],
  "overview.get": () => [undefined, { range: "30d", by: "key" }, { by: "user" }],
  "audit.list": ({ user, key, row }) => [
    {},
    { cursor: row.id },
    { filter: { actorId: user.id } },
    { filter: { targetId: key.id } },
    { filter: { action: "key.create", actorKind: "user", targetKind: "key" } },
  ],
  "prices.list": none,
  "prices.history": ({ price }) => [{ model: price.model }],
  "prices.source": none,
  "prices.refresh": none,
  "prices.import": ({ price }) => [{ text: priceTable(price.model) }, { text: priceTable(price.model), apply: true, replaceOwn: true }],
  "prices.reprice": ({ price }) => [{ model: price.model, fromMs: 0, toMs: 1_000 }],
  "prices.previewReprice": ({ price }) => [{ model: price.model, priceId: price.id, fromMs: 0, toMs: 1_000 }],
  "prices.repricings": none,
  "prices.unpriced": none,
  "prices.set": ({ price }) => [{ model: price.model, inputPerMTok: "3", outputPerMTok: "4" }],
  "providers.bootstrap": none,
  "providers.get": ({ provider }) => [{ id: provider.id }],
  "providers.history": ({ provider, row }) => [{ id: provider.id }, { id: provider.id, cursor: row.id }],
  "providers.impact": ({ provider }) => [{ ids: [provider.id] }],
  "providers.simulate": ({ key, price, sessionId }) => [
    { group: "default", dialect: "openai", endpoint: "chat", model: price.model, session: sessionId },
    { keyId: key.id, dialect: "openai", endpoint: "chat", model: price.model },
  ],
  "providers.clone": ({ provider }) => [{ id: provider.id }],
  "providers.updateMany": ({ provider }) => [{ changes: [{ id: provider.id, weight: 2 }] }],
  "providers.override": ({ provider }) => [
    { id: provider.id, kind: "drain", forSeconds: 60 },
    { id: provider.id, kind: null },
  ],
  "providers.resetBreaker": ({ provider }) => [{ id: provider.id }],
  "providers.restore": async ({ database, provider }) => [{ id: provider.id, versionId: await makeProviderVersion(database, provider) }],
  "providers.create": () => [{ ...provider, name: uniqueName("provider"), secret: "sk-of-a-new-provider" }],
  "providers.update": ({ provider }) => [{ id: provider.id, name: uniqueName("renamed") }],
  "providers.delete": ({ provider }) => [{ id: provider.id }],
  "providers.test": ({ provider }) => [{ id: provider.id }],
  "quarantine.list": ({ row }) => [{}, { cursor: row.id }, { state: "waiting" }],
  "quarantine.get": async ({ database }) => [{ id: await makeQuarantined(database) }],
  "quarantine.release": async ({ database }) => [{ id: await makeQuarantined(database) }],
  "quarantine.dismiss": async ({ database }) => [{ id: await makeQuarantined(database), reason: "bytes of a broken disk" }],
  "reconciliations.newest": none,
  "reconciliations.start": none,
  "sessions.get": ({ sessionId }) => [{ id: sessionId }],
  "sessions.list": none,
  "sessions.terminate": ({ sessionId }) => [{ id: sessionId }],
  "settings.get": none,
  "settings.sources": none,
  "settings.history": ({ row }) => [{}, { cursor: row.id }],
  "settings.rollBack": async ({ database }) => [{ id: await makeSettingsSave(database) }],
  "settings.update": () => [{ "breaker.failures": 6 }],
  "statistics.series": ({ user, key, provider }) => [
    undefined,
    ...[{ userId: user.id }, { keyId: key.id }, { providerId: provider.id }].map((filter) => ({ filter })),
    { by: "key" },
    { by: "user" },
    { by: "provider" },
  ],
  "statistics.usage": ({ user, key, provider }) => [
    undefined,
    ...[{ userId: user.id }, { keyId: key.id }, { providerId: provider.id }].map((filter) => ({ filter })),
  ],
  "statistics.compare": ({ user, key, provider, price }) => [
    { by: "model", ids: [price.model, "another"] },
    { by: "key", ids: [key.id, newId()] },
    { by: "user", ids: [user.id, newId()] },
    { by: "provider", ids: [provider.id, newId()] },
  ],
  "statistics.leaderboard": () => [{ of: "keys" }, { of: "models", period: "all" }, { of: "users" }, { of: "providers" }],
  "statistics.filterOptions": none,
  "statistics.availability": ({ provider, price }) => [undefined, { providerId: provider.id, model: price.model }],
  "system.figures": none,
  "system.get": none,
  "system.reportVitals": () => [{ vitals: [{ name: "render", page: "logs", ms: 40 }] }],
  "system.retention": none,
  "users.list": ({ user }) => [{}, { cursor: user.id }, { search: user.email, fields: ["email"] }],
  "users.page": ({ user }) => [{}, { search: user.name, fields: ["email", "totals", "keys"] }],
  "users.stats": ({ user }) => [{ userId: user.id }],
  "users.delete": async ({ database, user }) => [{ id: (await makePerson(database)).id }, { id: user.id }],
  "users.create": () => [{ email: `${uniqueName("new")}@example.test`, name: "New" }],
  "users.update": ({ user }) => [{ id: user.id, name: uniqueName("renamed") }],
};

function priceTable(model: string): string {
  return JSON.stringify({ [model]: { litellm_provider: "openai", mode: "chat", input_cost_per_token: 1e-6, output_cost_per_token: 2e-6 } });
}

/** A group with settings. */
async function makeGroup({ prisma }: TestDatabase): Promise<string> {
  return (await prisma.group.create({ data: { name: uniqueName("group"), rpm: 60 } })).name;
}

/** A save of settings that can be rolled back. */
async function makeSettingsSave({ prisma }: TestDatabase): Promise<string> {
  const change = { before: { "breaker.failures": 5 }, after: { "breaker.failures": 6 } };
  const of = { actorId: "", actorKind: "cli", action: "settings.update", targetKind: "settings", targetId: "breaker.failures" };
  return (await prisma.auditEntry.create({ data: { id: newId(), ...of, ...change } })).id;
}

async function makeAlertRule({ prisma }: TestDatabase): Promise<string> {
  const of = { kind: "cost", threshold: 1, windowMinutes: 15, minimumRequests: 1 };
  return (await prisma.alertRule.create({ data: { id: newId(), name: uniqueName("rule"), ...of } })).id;
}

async function makeAlertChannel({ prisma }: TestDatabase): Promise<string> {
  return (await prisma.alertChannel.create({ data: { id: newId(), name: uniqueName("channel"), kind: "webhook", config: webhook } })).id;
}

/** A record that Postgres refused. */
async function makeQuarantined({ prisma }: TestDatabase): Promise<string> {
  const data = { id: newId(), requestId: newId(), payload: Buffer.from("no record"), reason: "damaged" };
  return (await prisma.ledgerQuarantine.create({ data })).id;
}

/** A version of a provider that can be restored. */
async function makeProviderVersion({ prisma }: TestDatabase, { id, name }: Provider): Promise<string> {
  const of = { actorId: "", actorKind: "cli", action: "provider.update", targetKind: "provider", targetId: id };
  return (await prisma.auditEntry.create({ data: { id: newId(), ...of, after: { name, weight: 3 } } })).id;
}

/** The same for operations of the REST API, by id; a `{name}` in the path is a field of the input. */
export const restSweep: Record<string, (of: Things) => Record<string, unknown>[]> = {
  getOverview: () => [{}, { range: "30d", by: "key" }],
  getLatency: () => [{}, { range: "7d" }],
  getStatistics: ({ key }) => [{}, { by: "key", step: "day", keyId: key.id, statusClass: "5xx" }],
  exportStatistics: ({ key }) => [
    { format: "csv", keyId: key.id },
    { format: "json", by: "none" },
  ],
  getUsage: ({ key, price }) => [{}, { keyId: key.id, model: price.model }],
  compare: ({ price }) => [{ by: "model", ids: [price.model, "another"] }],
  getLeaderboard: () => [{ of: "keys" }, { of: "models", period: "all", sort: "ttft" }],
  listFilterOptions: () => [{}],
  getAvailability: ({ provider, price }) => [{ providerId: provider.id, model: price.model }],
  getUserStats: ({ user }) => [{ userId: user.id }],
  listLogs: ({ user, key, row, sessionId }) => [
    {},
    { userId: user.id, limit: 5 },
    { keyId: key.id, notState: ["error", "aborted"] },
    { sessionId, cursor: row.id },
  ],
  exportLogs: ({ key, sessionId }) => [
    { format: "csv", keyId: key.id },
    { format: "json", sessionId, columns: ["id", "key"] },
  ],
  getLog: ({ row, inFlight }) => [{ id: row.id }, { id: inFlight.id }],
  listModels: () => [{}],
  listSessions: () => [{}],
  getSession: ({ sessionId }) => [{ id: sessionId }],
  listKeys: ({ user, key }) => [{ userId: user.id, fields: ["totals"] }, { cursor: key.id }],
  pageKeys: ({ user }) => [{ userId: user.id, pageSize: 5 }],
  createKey: ({ user }) => [{ userId: user.id, name: uniqueName("key") }],
  updateKey: ({ key }) => [{ id: key.id, name: uniqueName("renamed") }],
  rotateKey: ({ key }) => [{ id: key.id, overlapSeconds: 60 }],
  revokeKey: ({ key }) => [{ id: key.id }],
  getKeyLimits: ({ key }) => [{ id: key.id }],
  checkKey: ({ key, price }) => [{ id: key.id, model: price.model }],
  listUsers: ({ user }) => [{ search: user.email, fields: ["email", "credit"] }],
  pageUsers: ({ user }) => [{ search: user.name, fields: ["totals", "keys"] }],
  createUser: () => [{ email: `${uniqueName("new")}@example.test`, name: "New" }],
  updateUser: ({ user }) => [{ id: user.id, name: uniqueName("renamed") }],
  deleteUser: ({ free }) => [{ id: free.id }],
  getAccount: ({ user }) => [{ userId: user.id }, {}],
  listCreditEntries: ({ user }) => [{ userId: user.id }, { kind: "top_up" }],
  topUpCredit: ({ user }) => [{ userId: user.id, amountUsd: "10", reason: "Invoice 7", idempotencyKey: newId() }],
  adjustCredit: ({ user }) => [{ userId: user.id, amountUsd: "-0.5", reason: "Counted twice", idempotencyKey: newId() }],
  refundCredit: ({ user }) => [{ userId: user.id, amountUsd: "0.5", reason: "Bad answer", idempotencyKey: newId() }],
  updateAccount: ({ user }) => [{ userId: user.id, billing: "both", floorUsd: "-1" }],
  listProviders: () => [{}],
  getProvider: ({ provider }) => [{ id: provider.id }],
  listPrices: () => [{}],
};

/** The path, with query, for an input of an operation. */
export function restPath({ path }: Operation, input: Record<string, unknown>): string {
  const named = pathFields(path);
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(input))
    if (!named.includes(name)) for (const one of [value].flat()) query.append(name, String(one));
  const at = basePath + path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(input[name])));
  return query.size > 0 ? `${at}?${query}` : at;
}

/** Operations that change something are covered by test/rest.db.test.ts, which sends bodies. */
function restRoutes(): Record<string, (of: Things) => string[]> {
  const routes = operations.map((operation): [string, (of: Things) => string[]] => {
    const url = basePath + operation.path.replaceAll(/\{(\w+)\}/g, ":$1");
    const paths = (of: Things): string[] => (restSweep[operation.id]?.(of) ?? []).map((input) => restPath(operation, input));
    return [`${operation.method} ${url}`, operation.method === "GET" ? paths : () => []];
  });
  return Object.fromEntries(routes);
}

/** Paths to call per route, by `METHOD url`; procedures are swept one by one, and so are routes that change state. */
export const routeSweep: Record<string, (of: Things) => string[]> = {
  "GET /*": () => ["/none.js"],
  "GET /trpc/:path": () => ["/trpc/logins.current"],
  "GET /api/v1/openapi.json": () => ["/api/v1/openapi.json"],
  ...restRoutes(),
  "GET /export/logs.csv": ({ row, user, key }) => exportPaths("csv", [{}, { requestId: row.id }, { userId: user.id }, { keyId: key.id }]),
  "GET /export/logs.json": ({ sessionId }) => exportPaths("json", [{}, { sessionId }]),
  "POST /trpc/:path": () => [],
  "POST /trpc/prices.import": () => [],
  "POST /auth/login": () => [],
  "POST /auth/key-login": () => [],
  "POST /auth/logout": () => [],
  "POST /auth/setup": () => [],
};

function exportPaths(format: "csv" | "json", filters: object[]): string[] {
  return filters.map((filter) => `/export/logs.${format}?filter=${encodeURIComponent(JSON.stringify(filter))}`);
}

/** One user's things, settled and in flight, in their own session. */
export async function makeThings(database: TestDatabase, api: TestApi, fields: { user?: User; secret?: string } = {}): Promise<Things> {
  const user = fields.user ?? (await makePerson(database));
  const free = await makePerson(database);
  const position = await api.live.bus.position();
  const provider = await makeProvider(database.prisma, { name: uniqueName("upstream"), secret: fields.secret });
  const price = await makePrice(database.prisma);
  const { key, secret: keySecret } = await makeKey(database.prisma, { userId: user.id });
  const sessionId = api.live.sessions.idOf(key.id, newId());
  const of = { userId: user.id, keyId: key.id, sessionId, providerId: provider.id, model: price.model };
  const row = await makeRequestRow(database.pool, of);
  await makeRequestDetail(database.pool, { id: row.id });
  const inFlight = requestRow({ ...of, state: "in_flight" });
  api.live.registry.started(inFlight);
  const client = { client: "test 1.0", dialect: inFlight.dialect };
  api.live.sessions.began({ id: sessionId, userId: user.id, keyId: key.id, providerId: provider.id, model: price.model, ...client });
  await until(async () => (await api.live.sessions.find(sessionId)) !== null, { what: "the session is known" });
  return { database, user, free, key, keySecret, row, inFlight, sessionId, provider, price, position };
}

/** The same shapes with ids that do not exist. */
export function nobodysThings(things: Things): Things {
  return {
    ...things,
    user: { ...things.user, id: newId() },
    free: { ...things.free, id: newId() },
    key: { ...things.key, id: newId() },
    row: { ...things.row, id: newId() },
    inFlight: { ...things.inFlight, id: newId() },
    sessionId: newId().slice(0, 22),
    provider: { ...things.provider, id: newId() },
  };
}
