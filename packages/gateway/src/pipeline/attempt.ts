import type { Envelope, Route } from "@sluice/core/dialects/dialect";
import { SluiceError } from "@sluice/core/errors";
import { type Attempt, noUsage } from "@sluice/core/requests";
import { upstreamModelOf } from "@sluice/core/routing/model-patterns";
import { overrideNow } from "@sluice/core/routing/provider-override";
import type { SpooledPrice } from "@sluice/ledger/records";
import type { PriceConfig, ProviderConfig } from "@sluice/snapshot/config";
import { type Call, elapsed, emptyBody } from "../call.ts";
import { groupMultiplierOf, priceOf } from "../charge.ts";
import type { Runtime } from "../context.ts";
import { nativeBody, type Spoken, speak } from "../conversion.ts";
import { type Failure, readAnswer, readErrorAnswer } from "./answers.ts";
import { backOff } from "./attempt-back-off.ts";
import { type Asking, hedge, mayHedge } from "./attempt-hedge.ts";
import { settleAttempt } from "./attempt-outcome.ts";
import { attemptTimeouts, endAfterTotal } from "./attempt-timeouts.ts";
import { comeBackInS } from "./come-back.ts";
import { hasSpareCredential, nextCredential, openCredential, proxyOf } from "./credentials.ts";
import { endProviderHold, nextWithRoom, nothingUsed } from "./provider-room.ts";
import { releaseBody } from "./receive.ts";

/**
 * Tries the candidates in order until one has an answer for the client: a whole one, or a stream with its first
 * content. START is spooled before the first byte goes upstream.
 */
export async function attempt(runtime: Runtime, call: Call): Promise<void> {
  let last: Failure | null = null;
  const left: Left = { candidates: call.choice?.ordered.slice() ?? [], unsuitable: null };
  const hedges = mayHedge(runtime, call);
  for (;;) {
    if (!mayTryMore(runtime, call, last)) break;
    const suitable = nextSuitable(runtime, call, left);
    const next = suitable instanceof Promise ? await suitable : suitable;
    if (!next) break;
    if (!call.began) await begin(runtime, call, next.provider);
    stopIfEnded(call);
    const askedAt = call.clock.monotonic();
    let failure: Failure | null;
    try {
      failure = await (hedges ? hedged(runtime, call, next, { last, left }) : tryCredentials(runtime, call, next, last));
    } finally {
      // The providers' time, not ours (`server-timing`).
      call.upstreamMs += call.clock.monotonic() - askedAt;
    }
    if (!failure) {
      // The body will not be sent again: frees its memory and its share of the budget.
      releaseBody(runtime, call);
      call.body = emptyBody;
      return;
    }
    if (failure.retry && call.provider && mayTryMore(runtime, call, failure)) {
      left.candidates.unshift(call.provider);
      await backOff(runtime, call);
      stopIfEnded(call);
    }
    // After another provider failed, the refusal of a converted request may be our fault: the earlier failure is reported.
    if (!last || failure.error.retryable) last = failure;
  }
  if (!last && left.unsuitable) throw left.unsuitable;
  if (!last)
    throw new SluiceError("no_provider", {
      detail: "every candidate waits for its breaker's probe or is at its limit",
      retryAfterS: comeBackInS(runtime, call),
    });
  if (!last.answer) throw last.error;
  call.answer = last.answer;
}

/** Asks the provider and, when it is slow, the next one beside it. */
function hedged(
  runtime: Runtime,
  call: Call,
  next: Suitable,
  { last, left }: { last: Failure | null; left: Left },
): Promise<Failure | null> {
  const asking =
    (suitable: Suitable): Asking =>
    (of) =>
      tryCredentials(runtime, of, suitable, last);
  return hedge(runtime, call, asking(next), async (of) => {
    const other = mayTryMore(runtime, call, last) ? await nextSuitable(runtime, of, left) : null;
    return other && asking(other);
  });
}

/** Bounds the number of attempts and their total time. */
function mayTryMore(runtime: Runtime, call: Call, last: Failure | null): boolean {
  const { settings } = call.config;
  if (call.row.attempts >= settings["routing.maxAttempts"]) return false;
  return last === null || elapsed(runtime, call) < settings["routing.totalAttemptMs"];
}

/** The candidates not tried yet, and why the last unsuitable one was skipped. */
interface Left {
  candidates: ProviderConfig[];
  unsuitable: SluiceError | null;
}

interface Suitable {
  provider: ProviderConfig;
  model: string;
  spoken: Spoken;
}

/**
 * The next provider that has room, can be asked this and is let through by its breaker; null = none is left. Synchronous unless limits
 * or a breaker's probe have to be asked.
 */
function nextSuitable(runtime: Runtime, call: Call, left: Left): Promise<Suitable | null> | Suitable | null {
  for (;;) {
    const provider = nextWithRoom(runtime, call, left.candidates);
    if (!provider) return null;
    if (provider instanceof Promise)
      return provider.then(async (found) => found && ((await ifSuitable(runtime, call, left, found)) ?? nextSuitable(runtime, call, left)));
    const suitable = ifSuitable(runtime, call, left, provider);
    if (suitable instanceof Promise) return suitable.then((found) => found ?? nextSuitable(runtime, call, left));
    if (suitable) return suitable;
  }
}

/** This provider, which has room; null = it cannot be asked now. */
function ifSuitable(runtime: Runtime, call: Call, left: Left, provider: ProviderConfig): Promise<Suitable | null> | Suitable | null {
  const notNow = (): null => {
    endProviderHold(runtime, call, nothingUsed);
    return null;
  };
  const model = upstreamModelOf(provider, call.routedModel);
  let spoken: Spoken;
  try {
    spoken = speak(runtime, call, provider, model);
  } catch (thrown) {
    left.unsuitable = leaveOut(call, provider, thrown);
    return notNow();
  }
  const may = mayTry(runtime, provider, model);
  if (may instanceof Promise) return may.then((taken) => (taken ? { provider, model, spoken } : notNow()));
  return may ? { provider, model, spoken } : notNow();
}

/** Skips a provider that cannot be asked this; others still can. */
function leaveOut(call: Call, provider: ProviderConfig, thrown: unknown): SluiceError {
  if (!(thrown instanceof SluiceError) || thrown.status !== 400) throw thrown;
  call.detail.decision.excluded.push({ providerId: provider.id, reason: "conversion" });
  return thrown;
}

/** A breaker that is due lets one request through across all instances. An overridden one lets all through and still learns from them. */
function mayTry(runtime: Runtime, provider: ProviderConfig, model: string): Promise<boolean> | boolean {
  const { breakers } = runtime.admission;
  const state = breakers.stateOf(provider.id, model);
  // `tripped`: only the last provider of its group is a candidate in this state.
  if (state === "closed" || state === "tripped") return true;
  const isForced = overrideNow(provider, runtime.clock.now()) === "closed";
  return state === "probe" ? breakers.takeProbe(provider.id, model).then((taken) => taken || isForced) : isForced;
}

/** Stops further attempts when the client is gone; it counts as no one's failure. */
export const clientLeft = "the client left";

function stopIfEnded(call: Call): void {
  if (call.cut) throw call.cut;
  if (call.gone) throw new SluiceError("internal", { detail: clientLeft });
}

async function begin(runtime: Runtime, call: Call, provider: ProviderConfig): Promise<void> {
  const { row } = call;
  row.providerId = provider.id;
  const price = priceOf(call, provider);
  // One copy for everything that keeps the row as it was at the start; it is never modified.
  const started = { ...row };
  await runtime.ledger.start({
    row: started,
    price: price && spooled(price),
    providerMultiplier: provider.costMultiplier,
    groupMultiplier: groupMultiplierOf(call),
  });
  call.began = true;
  runtime.registry.started(started);
  if (row.sessionId === "") return;
  const { userId, keyId, providerId, model, client, dialect } = row;
  const { chosenBy } = call.detail.decision;
  runtime.sessions.began({ id: row.sessionId, userId, keyId, providerId, model, client, dialect, chosenBy });
}

const spooledPrices = new WeakMap<PriceConfig, SpooledPrice>();

/** Cached per price of a configuration. */
function spooled(price: PriceConfig): SpooledPrice {
  let made = spooledPrices.get(price);
  if (!made) {
    const { id, model: _model, maxOutputTokens: _most, ...rates } = price;
    made = { priceId: id, ...rates };
    spooledPrices.set(price, made);
  }
  return made;
}

function openAttempt(runtime: Runtime, call: Call, provider: ProviderConfig, { model, spoken, credential }: Trying): Attempt {
  const { conversion, label } = spoken;
  const opened: Attempt = {
    providerId: provider.id,
    ...(credential && { credential: credential.label }),
    upstreamModel: model,
    ...(conversion ? { converted: label } : {}),
    ...(conversion && conversion.dropped.length > 0 ? { dropped: [...conversion.dropped] } : {}),
    startedMs: elapsed(runtime, call),
    firstContentMs: null,
    endedMs: -1,
    status: null,
    outcome: "failed",
    errorCode: "",
    upstreamCostNanoUsd: "0",
    usage: noUsage,
  };
  call.detail.attempts.push(opened);
  call.attempt = opened;
  call.provider = provider;
  call.row.providerId = provider.id;
  call.row.attempts += 1;
  runtime.figures.attemptStarted(provider.id);
  runtime.admission.loads.began(provider.id);
  return opened;
}

/** Tries a provider's credentials in turn, as long as the failure is about the credential. */
function tryCredentials(runtime: Runtime, call: Call, suitable: Suitable, last: Failure | null): Promise<Failure | null> {
  const { provider, model, spoken } = suitable;
  const hasFailed = last !== null;
  const credential = nextCredential(runtime, call, provider);
  // Most providers have only one, and an async function here would cost each of their requests.
  if (!credential) return tryProvider(runtime, call, provider, { model, spoken, credential, hasFailed });
  return trySeveral(runtime, call, suitable, { credential, hasFailed });
}

async function trySeveral(
  runtime: Runtime,
  call: Call,
  { provider, model, spoken }: Suitable,
  { credential: first, hasFailed }: Pick<Trying, "credential" | "hasFailed">,
): Promise<Failure | null> {
  for (let credential = first; ; credential = nextCredential(runtime, call, provider)) {
    const failure = await tryProvider(runtime, call, provider, { model, spoken, credential, hasFailed });
    if (!failure || !hasSpareCredential(runtime, call, failure.error) || !mayTryMore(runtime, call, failure)) return failure;
    if (!(await nextWithRoom(runtime, call, [provider]))) return failure;
  }
}

/** Null: `call.answer` is set. Throws errors that no other provider would do better. */
async function tryProvider(runtime: Runtime, call: Call, provider: ProviderConfig, trying: Trying): Promise<Failure | null> {
  const { envelope } = call;
  const { spoken, hasFailed } = trying;
  if (!envelope) throw new SluiceError("internal", { detail: "attempt before resolve" });
  const opened = openAttempt(runtime, call, provider, trying);
  const asksUsage = !spoken.conversion && spoken.route.endpoint === "chat" && envelope.stream && !envelope.includesUsage;
  try {
    const secret = openCredential(runtime, provider, trying.credential);
    const response = await send(runtime, call, provider, { ...trying, envelope, asksUsage, secret });
    opened.status = response.status;
    endAfterTotal(runtime, call, provider, response);
    const isSuccess = response.status >= 200 && response.status < 300;
    const failure = isSuccess
      ? await readAnswer(runtime, call, response, { spoken, envelope, asksUsage })
      : await readErrorAnswer(call, response, { provider, secret, spoken, hasFailed });
    if (failure) settleAttempt(runtime, call, { error: failure.error, reading: failure.reading });
    return failure;
  } catch (thrown) {
    stopIfEnded(call);
    // Not a failure: only the other provider's answer counts.
    if (call.isHedgeLost) return { error: new SluiceError("cancelled"), reading: null, answer: null };
    if (!(thrown instanceof SluiceError) || thrown.code === "invalid_request" || thrown.code === "internal") throw thrown;
    settleAttempt(runtime, call, { error: thrown, reading: null });
    return { error: thrown, reading: null, answer: null };
  }
}

interface Trying {
  /** The model name sent upstream, after the provider's redirects. */
  model: string;
  spoken: Spoken;
  /** null: the provider has only one. */
  credential: ReturnType<typeof nextCredential>;
  /** Another provider has failed before. */
  hasFailed: boolean;
}

interface Sending extends Trying {
  envelope: Envelope;
  asksUsage: boolean;
  secret: string;
}

/** The client's own bytes, with only what must be replaced. */
function rewritten(call: Call, { model, spoken, envelope, asksUsage }: Sending): Buffer {
  const isRedirect = model !== envelope.model;
  if (!isRedirect && !asksUsage) return call.body;
  return spoken.dialect.rewriteBody(call.body, envelope, { ...(isRedirect ? { model } : {}), includeUsage: asksUsage });
}

/** Where a provider was asked last without a query. The same text again is found without hashing it anew. */
interface LastUrl {
  endpoint: Route["endpoint"];
  model: string;
  stream: boolean;
  url: string;
}

const lastUrls = new WeakMap<ProviderConfig, LastUrl>();

function urlOf(call: Call, provider: ProviderConfig, { model, spoken, envelope: { stream } }: Sending): string {
  const { endpoint } = spoken.route;
  const last = lastUrls.get(provider);
  const isPlain = call.query.size === 0;
  if (isPlain && last?.model === model && last.endpoint === endpoint && last.stream === stream) return last.url;
  const url = spoken.dialect.upstreamUrl(provider.baseUrl, { endpoint, model, stream, query: call.query });
  if (isPlain) lastUrls.set(provider, { endpoint, model, stream, url });
  return url;
}

function send(runtime: Runtime, call: Call, provider: ProviderConfig, sending: Sending) {
  const { spoken, secret } = sending;
  const { dialect } = spoken;
  const { config } = call;
  const leftMs = config.settings["routing.totalAttemptMs"] - elapsed(runtime, call);
  return runtime.egress.request({
    url: urlOf(call, provider, sending),
    method: "POST",
    headers: Object.assign(
      dialect.upstreamHeaders(call.headers, secret, call.id),
      provider.headers,
      call.attempt && call.trace?.asks(call.attempt),
    ),
    body: spoken.conversion ? spoken.conversion.body : nativeBody(call, rewritten(call, sending)),
    signal: call.abort,
    ...proxyOf(runtime, provider),
    ...attemptTimeouts(config.settings, provider, leftMs),
  });
}
