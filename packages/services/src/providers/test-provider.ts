import type { Readable } from "node:stream";
import { probeRequest } from "@sluice/core/dialects/probe-request";
import { dialects } from "@sluice/core/dialects/registry";
import { SluiceError, toSluiceError } from "@sluice/core/errors";
import { TestProviderInput } from "@sluice/core/inputs/provider";
import { maskTexts, wordsOfHeaders } from "@sluice/core/mask-texts";
import type { DialectName } from "@sluice/core/requests";
import { upstreamModelOf } from "@sluice/core/routing/model-patterns";
import type { EgressResponse } from "@sluice/egress/contract";
import type { z } from "zod";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import { type OpenedSecrets, openProvider, secretTexts } from "./provider-secrets.ts";
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
  headers: Readonly<Record<string, string>>;
  /** Includes the additional credentials: the test does not send them, but they are masked too. */
  opened: OpenedSecrets;
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
  const probe = "id" in wanted ? await storedProbe(ctx, wanted.id, wanted.model) : newProbe(wanted);
  if (probe.opened.proxy !== "") ctx.egress.checkProxy(probe.opened.proxy);
  const hide = maskTexts(secretTexts(probe.opened));
  const began = ctx.clock.monotonic();
  try {
    const { response, body } = await send(ctx, probe);
    // Some providers repeat what they were sent. Words of headers are not masked in model names, which may contain the same words.
    const text = hide(body);
    const shown = maskTexts(wordsOfHeaders(probe.headers))(text);
    return {
      ...read(probe, response, { text, shown }),
      latencyMs: Math.round(ctx.clock.monotonic() - began),
      excerpt: shown.replaceAll(/\s+/g, " ").trim().slice(0, EXCERPT),
      ...(probe.model !== undefined && { model: probe.model }),
    };
  } catch (thrown) {
    const error = toSluiceError(thrown);
    ctx.log.info({ requestId: ctx.requestId, code: error.code, detail: hide(error.detail) }, "a provider test got no answer");
    const message = error.code === "internal" ? new SluiceError("upstream_error").message : error.message;
    // The latency would distinguish a closed port from a blocked address.
    return { ok: false, status: null, latencyMs: 0, message, excerpt: "", ...(probe.model !== undefined && { model: probe.model }) };
  }
}

type NewProvider = Exclude<TestProviderInput, { id: string }>;

function newProbe({ dialect, baseUrl, secret, headers = {}, proxy, model }: NewProvider): Probe {
  return { dialect, serves: ["chat"], baseUrl, headers, opened: { secret, credentials: new Map(), proxy: proxy ?? "" }, model };
}

async function storedProbe(ctx: Ctx, id: string, model: string | undefined): Promise<Probe> {
  const row = await ctx.prisma.provider.findFirst({ where: { id, tenantId: ctx.tenantId, deletedAt: null } });
  if (!row) throw new SluiceError("not_found");
  const provider = toProviderConfig(row);
  const { dialect, serves, baseUrl, modelRedirects, headers = {} } = provider;
  const upstreamModel = model === undefined ? undefined : upstreamModelOf({ modelRedirects }, model);
  return { dialect, serves, baseUrl, headers, opened: openProvider(ctx, provider), model: upstreamModel };
}

async function send(ctx: Ctx, probe: Probe): Promise<{ response: EgressResponse; body: string }> {
  const dialect = dialects[probe.dialect];
  const { endpoint, method, body } = probeRequest(probe.dialect, probe.model, probe.serves);
  const { secret, proxy } = probe.opened;
  const settings = ctx.snapshot.current().settings;
  const response = await ctx.egress.request({
    url: dialect.upstreamUrl(probe.baseUrl, { endpoint, model: probe.model ?? "", stream: false, query: new URLSearchParams() }),
    method,
    headers: { ...dialect.upstreamHeaders({ "user-agent": `sluice/${ctx.version}` }, secret, ctx.requestId), ...probe.headers },
    ...(proxy !== "" && { proxy }),
    ...(body !== null && { body }),
    signal: AbortSignal.timeout(TIMEOUT_MS),
    connectTimeoutMs: Math.min(settings["upstream.connectTimeoutMs"], TIMEOUT_MS),
    headersTimeoutMs: TIMEOUT_MS,
    idleTimeoutMs: TIMEOUT_MS,
  });
  const isSuccess = response.status >= 200 && response.status < 300;
  const text = await readAll(response.body).catch((error: unknown) => {
    // The status of a failure says enough, whatever became of its body.
    if (isSuccess) throw error;
    return "";
  });
  return { response, body: text };
}

async function readAll(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MOST_BYTES) throw new SluiceError("upstream_error", { message: "The provider's response is too large." });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function read(
  probe: Probe,
  { status, headers }: EgressResponse,
  { text, shown }: { text: string; shown: string },
): Omit<ProviderTest, "latencyMs" | "excerpt" | "model"> {
  if (status < 200 || status > 299) {
    return { ok: false, status, message: dialects[probe.dialect].readError(status, headers, Buffer.from(shown)).message };
  }
  if (probe.model !== undefined) return { ok: true, status, message: "The model answered." };
  const models = modelsOf(text);
  if (!models) return { ok: false, status, message: "The answer is not a list of models: check the base URL, or test with a model." };
  return { ok: true, status, message: `The provider lists ${models.length} models.`, models };
}

/** Names from `{ data: [{ id }] }` or `{ models: [{ name: "models/…" }] }`; null if it is neither. */
function modelsOf(body: string): string[] | null {
  let answer: unknown;
  try {
    answer = JSON.parse(body);
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
