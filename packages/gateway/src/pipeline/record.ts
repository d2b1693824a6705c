import type { Reading } from "@sluice/core/dialects/dialect";
import { SluiceError, toSluiceError } from "@sluice/core/errors";
import type { RequestDetail, RequestRow } from "@sluice/core/requests";
import { endWithError, publicError, sendError, sendWhole } from "../answer.ts";
import { type Call, elapsed, type StreamAnswer, type WholeAnswer } from "../call.ts";
import { charge } from "../charge.ts";
import type { Runtime } from "../context.ts";
import { totalTokens } from "../largest-use.ts";
import { settleAttempt } from "./attempt-outcome.ts";

/**
 * The end of a request: its charge is made durable, then the client gets the last bytes. When FINISH cannot be written,
 * the client must not see a proper end, because that means "this is recorded": a whole answer becomes 503, a stream ends
 * with an error event. START and the last PROGRESS are in the spool, so recovery still bills it, and the record is logged.
 */
export function record(runtime: Runtime, call: Call): Promise<void> {
  const { answer } = call;
  if (!answer) throw new SluiceError("internal", { detail: "nothing to record" });
  return answer.kind === "whole" ? recordWhole(runtime, call, answer) : recordStream(runtime, call, answer);
}

async function recordWhole(runtime: Runtime, call: Call, answer: WholeAnswer): Promise<void> {
  call.detail.responseBytes = answer.body.length;
  if (!answer.error) call.row.ttftMs = elapsed(runtime, call);
  if (await finishCall(runtime, call, { error: answer.error, status: answer.status, reading: answer.reading })) {
    sendWhole(call, answer.status, answer.headers, answer.body);
  } else sendError(runtime, call, new SluiceError("spool_unavailable"));
  call.over = true;
}

async function recordStream(runtime: Runtime, call: Call, answer: StreamAnswer): Promise<void> {
  const { res } = call;
  const { relay } = answer;
  const error = call.streamError === null ? null : (call.cut ?? toSluiceError(call.streamError));
  // If the stream ended with the provider's own error event, that has already been passed on.
  const proper = error === null || relay.reading.failure !== null;
  const rest = relay.rest(proper);
  call.detail.responseBytes = rest.reduce((sum, part) => sum + part.length, relay.sentBytes);
  const recorded = await finishCall(runtime, call, { error, status: answer.status, reading: relay.reading });
  call.over = true;
  if (call.gone || res.destroyed) return;
  if (!recorded) {
    endWithError(call, res, new SluiceError("spool_unavailable"), { inBand: answer.inBand, betweenEvents: relay.betweenEvents });
    return;
  }
  for (const part of rest) res.write(part);
  if (proper) res.end();
  else if (error) endWithError(call, res, error, { inBand: answer.inBand, betweenEvents: rest.length > 0 || relay.betweenEvents });
}

/** How a request ended. Without a reading, nothing was produced for the client and nothing is charged. */
export interface Ending {
  error: SluiceError | null;
  /** The status given to the client; defaults to the error's. */
  status?: number;
  reading?: Reading | null;
}

/** Prices and records a request that has begun. False: it could not be recorded. Never throws. */
export async function finishCall(runtime: Runtime, call: Call, ending: Ending): Promise<boolean> {
  const { row, detail } = call;
  const { error } = ending;
  settleAttempt(runtime, call, { error, reading: ending.reading ?? null });
  row.state = call.gone ? "aborted" : error ? "error" : "done";
  row.status = call.gone && !call.res.headersSent ? 0 : (ending.status ?? error?.status ?? 200);
  row.errorCode = call.gone || !error ? "" : publicError(error).code;
  row.durationMs = elapsed(runtime, call);
  detail.endReason = call.gone ? "client_gone" : endReasonOf(error);
  detail.error = error && !call.gone ? recordedError(error) : null;
  charge(call, ending.reading ?? null);
  const upstreamCostNanoUsd = upstreamCostOf(detail);
  let recorded = true;
  let kept: RequestDetail | Buffer = detail;
  try {
    kept = (await runtime.ledger.finish({ row, detail, upstreamCostNanoUsd })) ?? detail;
  } catch (failure) {
    recorded = false;
    runtime.stats.unrecorded += 1;
    row.state = "error";
    row.errorCode = "spool_unavailable";
    runtime.log.error({ err: failure, row, upstreamCostNanoUsd }, "a finished request could not be recorded");
  }
  // Both before the client receives the end: its next request must find the reservations of this one settled.
  if (call.credited) runtime.credit.spend(call.id, Number(row.costNanoUsd ?? 0));
  if (call.leased) runtime.admission.settle(call.id, { costNanoUsd: Number(row.costNanoUsd ?? 0), tokens: totalTokens(row.usage) });
  runtime.registry.finished(row, kept);
  runtime.logRequest(row, detail);
  // Nothing will ever settle it, and it is no longer in flight.
  if (!recorded) runtime.registry.settled([row.id]);
  if (row.sessionId !== "") runtime.sessions.ended(row);
  runtime.figures.requestFinished(row, detail.attempts);
  return recorded;
}

/** Over all attempts, nano-USD. */
function upstreamCostOf({ attempts }: RequestDetail): string {
  const [only] = attempts;
  if (only && attempts.length === 1) return only.upstreamCostNanoUsd;
  return attempts.reduce((sum, { upstreamCostNanoUsd }) => sum + BigInt(upstreamCostNanoUsd), 0n).toString();
}

function endReasonOf(error: SluiceError | null): RequestDetail["endReason"] {
  if (!error) return "done";
  if (error.code === "upstream_timeout") return "timeout";
  return error.code === "upstream_truncated" ? "eof" : "error";
}

function recordedError({ message, detail, facts }: SluiceError): NonNullable<RequestDetail["error"]> {
  return facts ? { message, detail, facts } : { message, detail };
}

/** A request that never reached an upstream: a row without charge, if it may be logged. */
export function refuseCall(runtime: Runtime, call: Call, error: SluiceError): void {
  if (!call.key) {
    runtime.stats.refusedAnonymous += 1;
    if (!runtime.mayLogAnonymous()) return;
  }
  const { row, detail } = call;
  row.errorCode = error.code;
  detail.error = recordedError(error);
  detail.endReason = "error";
  recordUncharged(runtime, call, { state: "refused", status: error.status });
}

/** A request that was answered locally (a list of models): a row without charge. */
export function recordLocal(runtime: Runtime, call: Call, status: number): void {
  recordUncharged(runtime, call, { state: "done", status });
  call.over = true;
}

function recordUncharged(runtime: Runtime, call: Call, end: { state: RequestRow["state"]; status: number }): void {
  const { row, detail } = call;
  row.state = end.state;
  row.status = end.status;
  row.billable = false;
  row.costNanoUsd = "0";
  row.durationMs = elapsed(runtime, call);
  // An unknown path has no endpoint to record a row under; it is only logged.
  if (call.route) runtime.ledger.refuse({ row, detail, upstreamCostNanoUsd: "0" });
  if (call.route) runtime.registry.finished(row, detail);
  runtime.logRequest(row, detail);
}
