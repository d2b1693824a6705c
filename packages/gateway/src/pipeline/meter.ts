import { withFacts } from "../answer.ts";
import type { Call, StreamAnswer } from "../call.ts";
import type { Runtime } from "../context.ts";

/** Proxies in front of us must neither collect a stream nor keep it. */
const streamHeaders = { "cache-control": "no-cache", "x-accel-buffering": "no" };

/** Passes a stream on as it comes, metered, until the upstream is over; `record` gives the rest. */
export function meter(_runtime: Runtime, call: Call): Promise<void> | void {
  if (call.answer?.kind === "stream") return pass(call, call.answer);
}

async function pass(call: Call, answer: StreamAnswer): Promise<void> {
  const { res } = call;
  if (!call.gone) {
    res.writeHead(answer.status, withFacts(call, { ...answer.headers, ...streamHeaders }));
    // Committed by time or size of what was dropped: the client should know that something is coming.
    if (answer.relay.heldBytes === 0) res.flushHeaders();
  }
  call.streamError = await answer.relay.flow(res);
}
