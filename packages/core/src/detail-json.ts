import type { Attempt, CostBreakdown, Decision, DecisionCandidate, RequestDetail } from "./requests.ts";
import { plainText, usageJson } from "./row-json.ts";

/**
 * The same JSON as `JSON.stringify` gives, in a third of the time. It is the largest part of what is written for a request. Whatever most
 * requests do not have (rules, exclusions, conversions, errors, unusual characters) is left to `JSON.stringify`.
 */
export function detailJson(detail: RequestDetail): string {
  const { userAgent, clientIp, path, priceId, error } = detail;
  if (detail.correction !== undefined || !plainText.test(`${userAgent}${clientIp}${path}`)) return JSON.stringify(detail);
  const tried = detail.attempts.length === 1 && detail.attempts[0] ? attemptJson(detail.attempts[0]) : rest(detail.attempts);
  const costs = `"cost":${detail.cost === null ? "null" : costJson(detail.cost)},"priceId":${priceId === null ? "null" : `"${priceId}"`}`;
  const client = `"userAgent":"${userAgent}","clientIp":"${clientIp}","path":"${path}"`;
  const sizes = `"requestBytes":${detail.requestBytes},"responseBytes":${detail.responseBytes},"endReason":"${detail.endReason}"`;
  const failure = error === null ? "null" : JSON.stringify(error);
  return `{"id":"${detail.id}","decision":${decisionJson(detail.decision)},"attempts":${tried},${costs},"error":${failure},${client},${sizes}}`;
}

function rest(attempts: readonly Attempt[]): string {
  return attempts.length === 0 ? "[]" : JSON.stringify(attempts);
}

function decisionJson(decision: Decision): string {
  const { candidates, excluded, excludedMore, chosenBy, failedBackFrom, rule } = decision;
  if (excluded.length > 0 || excludedMore !== undefined || failedBackFrom !== undefined || rule !== undefined)
    return JSON.stringify(decision);
  let listed = "";
  for (const candidate of candidates) listed += listed === "" ? candidateJson(candidate) : `,${candidateJson(candidate)}`;
  return `{"candidates":[${listed}],"excluded":[],"chosenBy":"${chosenBy}"}`;
}

const candidateTexts = new WeakMap<DecisionCandidate, string>();

/** All decisions share the candidates of which they say nothing else. */
function candidateJson(candidate: DecisionCandidate): string {
  if (candidate.saw !== undefined) return JSON.stringify(candidate);
  let made = candidateTexts.get(candidate);
  if (made === undefined) {
    made = JSON.stringify(candidate);
    candidateTexts.set(candidate, made);
  }
  return made;
}

/** Of the only attempt, as a list. */
function attemptJson(attempt: Attempt): string {
  const { credential, rule, converted, dropped, upstreamModel, errorCode } = attempt;
  const isPlain = credential === undefined && rule === undefined && converted === undefined && dropped === undefined;
  if (!isPlain || !plainText.test(upstreamModel)) return JSON.stringify([attempt]);
  const asked = `"providerId":"${attempt.providerId}","upstreamModel":"${upstreamModel}","startedMs":${attempt.startedMs}`;
  const ended = `"firstContentMs":${attempt.firstContentMs},"endedMs":${attempt.endedMs},"status":${attempt.status}`;
  const outcome = `"outcome":"${attempt.outcome}","errorCode":"${errorCode}","upstreamCostNanoUsd":"${attempt.upstreamCostNanoUsd}"`;
  return `[{${asked},${ended},${outcome},"usage":${usageJson(attempt.usage)}}]`;
}

/** Amounts and multipliers are plain decimals. */
function costJson({ input, output, cacheWrite5m, cacheWrite1h, cacheRead, providerMultiplier, groupMultiplier }: CostBreakdown): string {
  const tokens = `"input":"${input}","output":"${output}","cacheWrite5m":"${cacheWrite5m}","cacheWrite1h":"${cacheWrite1h}","cacheRead":"${cacheRead}"`;
  return `{${tokens},"providerMultiplier":"${providerMultiplier}","groupMultiplier":"${groupMultiplier}"}`;
}
