import { withFacts } from "../answer.ts";
import type { Call } from "../call.ts";
import type { Runtime } from "../context.ts";

/** Proxies in front of us must neither collect a stream nor keep it. */
const streamHeaders = { "cache-control": "no-cache", "x-accel-buffering": "no" };

/** Passes a stream on as it comes, metered, until the upstream is over; `record` gives the rest. */
export async function meter(_runtime: Runtime, call: Call): Promise<void> {
  const { answer, res } = call;
  if (answer?.kind !== "stream") return;
  if (!call.gone) {
    res.writeHead(answer.status, withFacts(call, { ...answer.headers, ...streamHeaders }));
    // Committed by time or size of what was dropped: the client should know that something is coming.
    if (answer.relay.heldBytes === 0) res.flushHeaders();
  }
  call.streamError = await answer.relay.flow(res);
}
