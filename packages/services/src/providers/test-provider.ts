import type { Readable } from "node:stream";
import { probeRequest } from "@sluice/core/dialects/probe-request";
import { dialects } from "@sluice/core/dialects/registry";
import { SluiceError, toSluiceError } from "@sluice/core/errors";
import { TestProviderInput } from "@sluice/core/inputs/provider";
import type { DialectName } from "@sluice/core/requests";
import { upstreamModelOf } from "@sluice/core/routing/model-patterns";
import type { EgressResponse } from "@sluice/egress/contract";
import type { z } from "zod";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import { openProvider } from "./provider-secrets.ts";
import type { ProviderTest } from "./provider-view.ts";
import { toProviderConfig } from "./stored-provider.ts";

const MOST_BYTES = 2 * 1024 * 1024;
const MOST_MODELS = 500;
const EXCERPT = 600;
const TIMEOUT_MS = 20_000;

interface Probe {
  dialect: DialectName;
  serves: readonly string[];
  baseUrl: string;
  secret: string;
  headers: Readonly<Record<string, string>>;
  /** Empty = none. */
  proxy: string;
  /** Name sent upstream; absent = request the list of models. */
  model: string | undefined;
}

/**
 * Makes a real call to the provider, through the same egress as every request: its list of models, or a minimal request to the given
 * model. The provider's answer is shown; the reason for a failed connection is not, so that this form is no port scanner.
 * @throws SluiceError `not_found` for an unknown id. A failed test is a result, not an error.
 */
export async function testProvider(ctx: Ctx, input: z.input<typeof TestProviderInput>): Promise<ProviderTest> {
  requireAccess(ctx.actor, "admin");
  const wanted = parse(TestProviderInput, input);
  const probe =
    "id" in wanted
      ? await storedProbe(ctx, wanted.id, wanted.model)
      : { ...wanted, serves: ["chat"] as const, headers: wanted.headers ?? {}, proxy: wanted.proxy ?? "", model: wanted.model };
  if (probe.proxy !== "") ctx.egress.checkProxy(probe.proxy);
  const began = ctx.clock.monotonic();
  try {
    const { response, body } = await send(ctx, probe);
    return {
      ...read(probe, response, body),
      latencyMs: Math.round(ctx.clock.monotonic() - began),
      excerpt: excerptOf(body, probe.secret),
      ...(probe.model !== undefined && { model: probe.model }),
    };
  } catch (thrown) {
    const error = toSluiceError(thrown);
    ctx.log.info({ requestId: ctx.requestId, code: error.code, detail: error.detail }, "a provider test got no answer");
    const message = error.code === "internal" ? new SluiceError("upstream_error").message : error.message;
    // The latency would distinguish a closed port from a blocked address.
    return { ok: false, status: null, latencyMs: 0, message, excerpt: "", ...(probe.model !== undefined && { model: probe.model }) };
  }
}

async function storedProbe(ctx: Ctx, id: string, model: string | undefined): Promise<Probe> {
  const row = await ctx.prisma.provider.findFirst({ where: { id, tenantId: ctx.tenantId, deletedAt: null } });
  if (!row) throw new SluiceError("not_found");
  const provider = toProviderConfig(row);
  const { dialect, serves, baseUrl, modelRedirects, headers = {} } = provider;
  const upstreamModel = model === undefined ? undefined : upstreamModelOf({ modelRedirects }, model);
  const { secret, proxy } = openProvider(ctx, provider);
  return { dialect, serves, baseUrl, headers, proxy, secret, model: upstreamModel };
}

async function send(ctx: Ctx, probe: Probe): Promise<{ response: EgressResponse; body: Buffer }> {
  const dialect = dialects[probe.dialect];
  const { endpoint, method, body } = probeRequest(probe.dialect, probe.model, probe.serves);
  const settings = ctx.snapshot.current().settings;
  const response = await ctx.egress.request({
    url: dialect.upstreamUrl(probe.baseUrl, { endpoint, model: probe.model ?? "", stream: false, query: new URLSearchParams() }),
    method,
    headers: { ...dialect.upstreamHeaders({ "user-agent": `sluice/${ctx.version}` }, probe.secret, ctx.requestId), ...probe.headers },
    ...(probe.proxy !== "" && { proxy: probe.proxy }),
    ...(body !== null && { body }),
    signal: AbortSignal.timeout(TIMEOUT_MS),
    connectTimeoutMs: Math.min(settings["upstream.connectTimeoutMs"], TIMEOUT_MS),
    headersTimeoutMs: TIMEOUT_MS,
    idleTimeoutMs: TIMEOUT_MS,
  });
  return { response, body: await readAll(response.body) };
}

async function readAll(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MOST_BYTES) throw new SluiceError("upstream_error", { message: "The provider's answer is too large." });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function read(probe: Probe, response: EgressResponse, body: Buffer): Omit<ProviderTest, "latencyMs" | "excerpt" | "model"> {
  const { status } = response;
  if (status < 200 || status > 299) {
    const { message } = dialects[probe.dialect].readError(status, response.headers, body);
    // Some providers repeat the rejected credential.
    return { ok: false, status, message: message.replaceAll(probe.secret, "…").slice(0, 500) };
  }
  if (probe.model !== undefined) return { ok: true, status, message: "The model answered." };
  const models = modelsOf(body);
  if (!models) return { ok: false, status, message: "The answer is not a list of models: check the base URL, or test with a model." };
  return { ok: true, status, message: `The provider lists ${models.length} models.`, models };
}

/** The beginning of an answer as one line of text. Some providers repeat the credential they were sent. */
function excerptOf(body: Buffer, secret: string): string {
  return body.toString("utf8").replaceAll(secret, "…").replaceAll(/\s+/g, " ").trim().slice(0, EXCERPT);
}

/** Names from `{ data: [{ id }] }` or `{ models: [{ name: "models/…" }] }`; null if it is neither. */
function modelsOf(body: Buffer): string[] | null {
  let answer: unknown;
  try {
    answer = JSON.parse(body.toString("utf8"));
  } catch {
    return null;
  }
  if (typeof answer !== "object" || answer === null) return null;
  const list = "data" in answer ? answer.data : "models" in answer ? answer.models : null;
  if (!Array.isArray(list)) return null;
  return list.slice(0, MOST_MODELS).flatMap((item: unknown) => {
    if (typeof item !== "object" || item === null) return [];
    const name = "id" in item ? item.id : "name" in item ? item.name : null;
    return typeof name === "string" && name.length <= 200 ? [name.replace(/^models\//, "")] : [];
  });
}
