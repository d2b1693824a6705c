import { withFacts } from "../answer.ts";
import type { Call, StreamAnswer } from "../call.ts";
import type { Runtime } from "../context.ts";

/** Proxies in front of us must neither buffer nor cache a stream. */
const streamHeaders = { "cache-control": "no-cache", "x-accel-buffering": "no" };

/** Passes a metered stream on as it arrives, until the upstream is over; `record` sends the rest. */
export function meter(_runtime: Runtime, call: Call): Promise<void> | void {
  if (call.answer?.kind === "stream") return pass(call, call.answer);
}

async function pass(call: Call, answer: StreamAnswer): Promise<void> {
  const { res } = call;
  if (!call.gone) {
    res.writeHead(answer.status, withFacts(call, { ...answer.headers, ...streamHeaders }));
    // Committed although everything so far was dropped: the client should know that something is coming.
    if (answer.relay.heldBytes === 0) res.flushHeaders();
  }
  call.streamError = await answer.relay.flow(res);
}
