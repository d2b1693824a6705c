import { isNative, missingConversion } from "@sluice/core/dialects/conversion/wires";
import { SluiceError } from "@sluice/core/errors";
import { type Choice, chooseCandidates } from "@sluice/core/routing/choose-candidates";
import { modelRefusal } from "@sluice/core/routing/policies";
import { priceRefusal } from "@sluice/core/routing/refusals";
import { createTurns } from "@sluice/core/routing/strategies";
import type { ProviderConfig } from "@sluice/snapshot/config";
import { sendWhole } from "../answer.ts";
import type { Call } from "../call.ts";
import { priceOf } from "../charge.ts";
import type { Runtime } from "../context.ts";
import { checkOutput, expectedCost } from "../largest-use.ts";
import { answerModels } from "../models.ts";
import { applyRoutingRule } from "./apply-routing-rule.ts";
import { comeBackInS } from "./come-back.ts";
import { recordLocal } from "./record.ts";

const noneFailed: ReadonlySet<string> = new Set();
const turns = createTurns();

/** Determines the model, its price and the providers to try, with the reason of each exclusion. */
export function resolve(runtime: Runtime, call: Call): Promise<void> | void {
  const { route, key, row } = call;
  if (!route || !key) throw new SluiceError("not_found");
  if (route.endpoint === "models") {
    answerModels(runtime, call, route.model);
    return;
  }
  const envelope = call.dialect.readEnvelope(call.body, route, call.headers);
  call.envelope = envelope;
  row.model = envelope.model;
  row.stream = envelope.stream;
  const stopped = modelRefusal(key, call.config.users.get(key.userId), envelope.model);
  if (stopped) throw new SluiceError(stopped.code, { message: stopped.message, field: "model" });
  row.sessionId = envelope.sessionHint === "" ? "" : runtime.sessions.idOf(key.id, envelope.sessionHint);
  const sticky =
    row.sessionId === "" || call.config.settings["routing.stickySeconds"] === 0 ? null : runtime.admission.sticky.find(row.sessionId);
  if (sticky instanceof Promise) return sticky.then((providerId) => choose(runtime, call, providerId));
  choose(runtime, call, sticky);
}

function choose(runtime: Runtime, call: Call, stickyProviderId: string | null): void {
  const { config, row } = call;
  const strategy = config.settings["routing.strategy"];
  const rule = applyRoutingRule(runtime, call);
  call.routedModel = rule?.model ?? row.model;
  call.choice = chooseCandidates({
    providers: config.providers,
    group: row.group,
    dialect: row.dialect,
    endpoint: row.endpoint,
    model: call.routedModel,
    rule,
    breakerStateOf: (providerId, model) => runtime.admission.breakers.stateOf(providerId, model),
    stickyProviderId,
    isWell: (providerId, model) => runtime.admission.breakers.isWell(providerId, model),
    failsBack: config.settings["routing.failBack"] === "at_once",
    failed: noneFailed,
    nowMs: runtime.clock.now(),
    random: Math.random,
    strategy,
    measure: (provider) =>
      strategy === "lowest_cost" ? { costNanoUsd: expectedCost(call, provider) } : runtime.admission.loads.of(provider.id),
    turnOf: turns,
  });
  call.detail.decision = call.choice.decision;
  if (call.choice.none === "not_convertible")
    throw new SluiceError("not_convertible", { message: missingConversion(row.dialect), field: "model" });
  if (row.endpoint === "countTokens" && countsHere(runtime, call, call.choice)) return;
  if (call.choice.none)
    throw new SluiceError(call.choice.none, call.choice.none === "no_provider" ? { retryAfterS: comeBackInS(runtime, call) } : {});
  const first = call.choice.ordered[0];
  const price = first ? priceOf(call, first) : null;
  const refusal = priceRefusal(price, config.settings, row.billable);
  if (refusal) throw new SluiceError(refusal, { field: "model" });
  checkOutput(call, price);
}

/**
 * Only a provider of the client's dialect can count its tokens. When there is none (messages themselves would be
 * converted), the count is estimated here: a quarter of the body's bytes, plus 1,500 for each image or other binary.
 */
function countsHere(runtime: Runtime, call: Call, choice: Choice<ProviderConfig>): boolean {
  const native = choice.ordered.filter((provider) => isNative(provider, call.row));
  if (native.length > 0 || choice.ordered.length === 0) {
    choice.ordered = native;
    return false;
  }
  const body = JSON.stringify({ input_tokens: call.envelope?.inputEstimate ?? 0 });
  sendWhole(call, 200, { "content-type": "application/json" }, body);
  recordLocal(runtime, call, 200);
  return true;
}
