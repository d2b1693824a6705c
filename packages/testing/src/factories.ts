import { randomBytes } from "node:crypto";
import { apiKeyPreview, makeApiKey } from "@sluice/core/api-key";
import { firstIdAt, newId, timeOfId } from "@sluice/core/ids";
import type { RequestDetail, RequestRow } from "@sluice/core/requests";
import { noUsage } from "@sluice/core/requests";
import type { Key, Login, Price, Prisma, Provider, User } from "@sluice/db/generated/client";
import { ensurePartitionFor } from "@sluice/db/partitions";
import type { PrismaClient } from "@sluice/db/postgres";
import type { SecretPlace } from "@sluice/db/secrets";
import { hashToken, sealSecret } from "@sluice/db/secrets";
import type pg from "pg";

/** The default SLUICE_SECRET of tests. */
export const testSecret = "test-secret-of-at-least-thirty-two-characters";

/** A name that is unique across calls and processes: `key-3f9a1c02b7`. */
export function uniqueName(kind: string): string {
  return `${kind}-${randomBytes(5).toString("hex")}`;
}

/** A user of role `user` without a password. */
export async function makeUser(prisma: PrismaClient, fields: Partial<Prisma.UserUncheckedCreateInput> = {}): Promise<User> {
  const name = uniqueName("user");
  return prisma.user.create({ data: { id: newId(), email: `${name}@example.test`, name, ...fields } });
}

export interface MadeKey {
  key: Key;
  /** The text that a client sends; the table stores only its hash. */
  secret: string;
}

/** A key without limits in group `default`, of `userId` or of a new user. `secret` sets the key's text. */
export async function makeKey(
  prisma: PrismaClient,
  fields: Partial<Prisma.KeyUncheckedCreateInput> & { secret?: string } = {},
): Promise<MadeKey> {
  const { secret = makeApiKey(), ...rest } = fields;
  const userId = rest.userId ?? (await makeUser(prisma)).id;
  const data = { id: newId(), name: uniqueName("key"), sha256: hashToken(secret), preview: apiKeyPreview(secret), ...rest, userId };
  return { key: await prisma.key.create({ data }), secret };
}

/** The place to which db/secrets binds a provider's secret. */
export function providerSecretPlace(rowId: string): SecretPlace {
  return { table: "providers", column: "secret", rowId };
}

/** An enabled provider in group `default` for any model; `secret` is plain text, and stored encrypted under `testSecret`. */
export async function makeProvider(prisma: PrismaClient, fields: Partial<Prisma.ProviderUncheckedCreateInput> = {}): Promise<Provider> {
  const id = fields.id ?? newId();
  const data = {
    name: uniqueName("provider"),
    dialect: "openai",
    serves: ["chat", "responses", "embeddings"],
    baseUrl: "http://127.0.0.1:9/v1",
    groups: ["default"],
    models: [],
    ...fields,
    id,
    secret: sealSecret(testSecret, fields.secret ?? "upstream-secret", providerSecretPlace(id)),
  };
  return prisma.provider.create({ data });
}

/** 1 USD per million input tokens and 2 USD per million output tokens, for a new model. */
export async function makePrice(prisma: PrismaClient, fields: Partial<Prisma.PriceUncheckedCreateInput> = {}): Promise<Price> {
  const data = { id: newId(), model: uniqueName("model"), inputPerMTok: "1", outputPerMTok: "2", source: "test", ...fields };
  return prisma.price.create({ data });
}

/** A login that lasts a day; `token` is the cookie's value. */
export async function makeLogin(
  prisma: PrismaClient,
  fields: Partial<Prisma.LoginUncheckedCreateInput> = {},
): Promise<{ login: Login; token: string }> {
  const token = randomBytes(32).toString("base64url");
  const userId = fields.userId ?? (await makeUser(prisma)).id;
  const data = { id: hashToken(token), expiresAt: new Date(Date.now() + 86_400_000), ...fields, userId };
  return { login: await prisma.login.create({ data }), token };
}

/** An id of a given millisecond, even in the past, which `newId` never returns. */
export function idAt(ms: number): string {
  return firstIdAt(ms).slice(0, 14) + newId().slice(14);
}

/** A finished chat request of 100 + 20 tokens for 140,000 nano-USD (core/requests). */
export function requestRow(fields: Partial<RequestRow> = {}): RequestRow {
  const id = fields.id ?? (fields.startedAtMs === undefined ? newId() : idAt(fields.startedAtMs));
  return {
    id,
    tenantId: "default",
    userId: "",
    keyId: "",
    sessionId: "",
    providerId: "",
    group: "default",
    dialect: "openai",
    endpoint: "chat",
    stream: false,
    model: "test-model",
    upstreamModel: "test-model",
    state: "done",
    status: 200,
    errorCode: "",
    attempts: 1,
    usage: { ...noUsage, input: 100, output: 20 },
    flags: [],
    costNanoUsd: "140000",
    billable: true,
    startedAtMs: timeOfId(id),
    ttftMs: 120,
    durationMs: 350,
    client: "test 1.0",
    correctsId: null,
    ...fields,
  };
}

/** The details of a request. */
export function requestDetail(fields: Partial<RequestDetail> = {}): RequestDetail {
  return {
    id: newId(),
    decision: { candidates: [], excluded: [], chosenBy: "only" },
    attempts: [],
    cost: null,
    priceId: null,
    error: null,
    userAgent: "test/1.0",
    clientIp: "127.0.0.1",
    path: "/v1/chat/completions",
    requestBytes: 200,
    responseBytes: 400,
    endReason: "done",
    ...fields,
  };
}

/** Inserts a row as the settler would, without updating rollups; creates the partition of an old id. */
export async function makeRequestRow(pool: pg.Pool, fields: Partial<RequestRow> = {}): Promise<RequestRow> {
  const row = requestRow(fields);
  await ensurePartitionFor(pool, row.id);
  await pool.query(
    `INSERT INTO requests (id, settled_seq, tenant_id, user_id, key_id, session_id, provider_id, "group", dialect, endpoint, stream,
       model, upstream_model, state, status, error_code, attempts, input_tokens, output_tokens, cache_write_5m_tokens,
       cache_write_1h_tokens, cache_read_tokens, flags, cost_nano_usd, upstream_cost_nano_usd, price_id, billable, started_at,
       ttft_ms, duration_ms, client, corrects_id)
     VALUES ($1, nextval('requests_settled_seq'), $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
       $20, $21, $22, $23, 0, NULL, $24, $25, $26, $27, $28, $29)`,
    [
      ...[row.id, row.tenantId, row.userId, row.keyId, row.sessionId, row.providerId, row.group, row.dialect, row.endpoint, row.stream],
      ...[row.model, row.upstreamModel, row.state, row.status, row.errorCode, row.attempts, row.usage.input, row.usage.output],
      ...[row.usage.cacheWrite5m, row.usage.cacheWrite1h, row.usage.cacheRead, row.flags, row.costNanoUsd, row.billable],
      ...[new Date(row.startedAtMs), row.ttftMs, row.durationMs ?? 0, row.client, row.correctsId],
    ],
  );
  return row;
}

/** Inserts the details of an existing request. */
export async function makeRequestDetail(pool: pg.Pool, fields: Partial<RequestDetail> & { id: string }): Promise<RequestDetail> {
  const detail = requestDetail(fields);
  await pool.query("INSERT INTO request_details (id, detail) VALUES ($1, $2)", [detail.id, JSON.stringify(detail)]);
  return detail;
}
