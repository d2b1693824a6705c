import { toSluiceError } from "@sluice/core/errors";
import { sendError } from "./answer.ts";
import type { Call } from "./call.ts";
import type { Runtime, Step } from "./context.ts";
import { admit } from "./pipeline/admit.ts";
import { attempt, clientLeft } from "./pipeline/attempt.ts";
import { authenticate } from "./pipeline/authenticate.ts";
import { guard } from "./pipeline/guard.ts";
import { meter } from "./pipeline/meter.ts";
import { receive } from "./pipeline/receive.ts";
import { finishCall, record, refuseCall } from "./pipeline/record.ts";
import { reserveCredit } from "./pipeline/reserve-credit.ts";
import { resolve } from "./pipeline/resolve.ts";

/**
 * What happens to a request, in order. Up to `reserveCredit`, a throw refuses it (no upstream has seen it); from START,
 * which `attempt` writes, every way out leads through a FINISH.
 */
const steps: readonly Step[] = [guard, authenticate, receive, resolve, admit, reserveCredit, attempt, meter, record];

/** Takes one request from head to last byte. Rejects only when even its failure could not be handled. */
export async function runPipeline(runtime: Runtime, call: Call): Promise<void> {
  try {
    for (const step of steps) {
      // A step that finishes synchronously costs no turn of the event loop.
      const pending = step(runtime, call);
      if (pending) await pending;
      if (call.over || (call.gone && !call.began)) return;
    }
  } catch (thrown) {
    await fail(runtime, call, thrown);
  }
}

async function fail(runtime: Runtime, call: Call, thrown: unknown): Promise<void> {
  const error = call.cut ?? toSluiceError(thrown);
  if (error.code === "internal" && error.detail !== clientLeft)
    runtime.log.error({ requestId: call.id, err: thrown, detail: error.detail }, "a request failed on our side");
  if (call.gone && !call.began) return;
  if (!call.began) refuseCall(runtime, call, error);
  else await finishCall(runtime, call, { error });
  if (call.res.headersSent) call.res.destroy();
  else sendError(runtime, call, error);
}
