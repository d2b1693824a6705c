import type { Reading } from "@sluice/core/dialects/dialect";
import { type SluiceError, toSluiceError } from "@sluice/core/errors";
import type { Call } from "../call.ts";
import { Cancellation } from "../cancellation.ts";
import type { Runtime } from "../context.ts";
import type { Failure } from "./answers.ts";
import { settleAttempt } from "./attempt-outcome.ts";

/** Asks a provider on behalf of a call; null: the call's answer is set. */
export type Asking = (call: Call) => Promise<Failure | null>;

interface Runner {
  call: Call;
  /** Never rejects. */
  done: Promise<Ran>;
}

interface Ran {
  runner: Runner;
  failure: Failure | null;
  /** An error that no other provider would do better. */
  thrown: unknown;
}

/**
 * Whether this request may ask a second provider at all: only streams, whose first content shows how a provider is doing, and
 * only billable requests. Pays the request's share into the budget.
 */
export function mayHedge(runtime: Runtime, call: Call): boolean {
  const { settings } = call.config;
  if (settings["routing.hedgeAfterMs"] === 0 || !call.row.stream || !call.row.billable) return false;
  runtime.hedges.payIn(settings["routing.hedgePercent"]);
  return true;
}

/**
 * Asks one provider and, when it has sent no content after a while and the budget allows it, another one beside it. The first
 * to have content serves; the other is stopped, and its cost is recorded in its attempt. The client pays only for the
 * answer it gets. When one fails or answers with an error, the other is awaited: it may still serve.
 */
export async function hedge(
  runtime: Runtime,
  call: Call,
  first: Asking,
  findSecond: (call: Call) => Promise<Asking | null>,
): Promise<Failure | null> {
  const one = run(call, first);
  const waited = await firstOf(runtime, call, one);
  if (waited) return take(call, waited);
  const branch = branchOf(call);
  const second = runtime.hedges.take() ? await findSecond(branch) : null;
  if (!second) return take(call, await one.done);
  const two = run(call, second, branch);
  const ended = await Promise.race([one.done, two.done]);
  const other = ended.runner === one ? two : one;
  if (weightOf(ended) === SERVES) {
    await stop(runtime, other);
    return take(call, ended);
  }
  const late = await other.done;
  const [told, untold] = weightOf(ended) > weightOf(late) ? [ended, late] : [late, ended];
  const error = untold.thrown === undefined ? errorOf(untold.runner.call) : toSluiceError(untold.thrown);
  settleAttempt(runtime, untold.runner.call, { error, reading: null });
  return take(call, told);
}

const SERVES = 3;

/**
 * Ranks two outcomes: an answer, then an error that would be the client's fault with any provider, then a provider's failure. The
 * error of a converted request comes last, because it may be our fault.
 */
function weightOf({ runner: { call }, failure, thrown }: Ran): number {
  if (failure) return 1;
  if (thrown === undefined && !errorOf(call)) return SERVES;
  return call.attempt?.converted ? 0 : 2;
}

/** The error of an error answer, otherwise null. */
function errorOf({ answer }: Call): SluiceError | null {
  return answer?.kind === "whole" ? answer.error : null;
}

/** The outcome of the first provider if it comes within the delay; null: none yet. */
function firstOf(runtime: Runtime, call: Call, runner: Runner): Promise<Ran | null> {
  return new Promise((resolve) => {
    const late = runtime.deadlines.add(call.config.settings["routing.hedgeAfterMs"], () => resolve(null));
    void runner.done.then((ran) => {
      runtime.deadlines.cancel(late);
      resolve(ran);
    });
  });
}

function run(call: Call, ask: Asking, branch = branchOf(call)): Runner {
  const runner: Runner = {
    call: branch,
    done: Promise.resolve()
      .then(() => ask(branch))
      .then(
        (failure) => ({ runner, failure, thrown: undefined }),
        (thrown: unknown) => ({ runner, failure: null, thrown }),
      ),
  };
  return runner;
}

/**
 * The same request with an attempt of its own. Everything else is read through to the call, so that both branches notice
 * when the client leaves or the call is cut.
 */
function branchOf(call: Call): Call {
  const branch = Object.create(call) as { -readonly [K in keyof Call]: Call[K] };
  branch.abort = new Cancellation();
  call.abort.addEventListener("abort", () => branch.abort.abort(call.abort.reason as Error));
  branch.attempt = null;
  branch.provider = null;
  branch.answer = null;
  branch.heldProviderId = "";
  branch.attemptDeadline = null;
  branch.isHedgeLost = false;
  return branch;
}

/** Makes the outcome of one branch the outcome of the call. */
function take(call: Call, { runner, failure, thrown }: Ran): Failure | null {
  const { attempt, provider, answer, heldProviderId, attemptDeadline, progressAt, liveAt } = runner.call;
  Object.assign(call, { attempt, provider, answer, heldProviderId, attemptDeadline, progressAt, liveAt });
  if (provider) call.row.providerId = provider.id;
  if (thrown !== undefined) throw thrown;
  return failure;
}

/** Stops the branch that is not needed and waits until its attempt is closed, so that the row includes its cost. */
async function stop(runtime: Runtime, { call, done }: Runner): Promise<void> {
  call.isHedgeLost = true;
  call.abort.abort(new Error("another provider was first"));
  await done;
  const { answer } = call;
  if (answer?.kind === "stream") answer.relay.destroy(new Error("another provider was first"));
  const reading: Reading | null = answer?.kind === "stream" ? answer.relay.reading : (answer?.reading ?? null);
  settleAttempt(runtime, call, { error: null, reading });
}
