import type { Reading, StreamMeter } from "@sluice/core/dialects/dialect";
import { noUsage } from "@sluice/core/requests";

/** UTF-8 bytes of JSON per token, roughly, when nothing better can be known. */
const bytesPerToken = 4;

/**
 * Meters a whole answer that is too large to be held: it only counts bytes, so the usage is an estimate. What was held
 * so far leaves first, and the newest chunk is always kept back: the end waits for the charge.
 */
export function largeAnswerMeter(held: readonly Buffer[], inputEstimate: number): StreamMeter {
  let waiting: Buffer[] = [...held];
  let bytes = held.reduce((sum, part) => sum + part.length, 0);
  const reading: Reading = {
    usage: noUsage,
    usageReported: false,
    anomaly: false,
    get estimate() {
      return { ...noUsage, input: inputEstimate, output: Math.ceil(bytes / bytesPerToken) };
    },
    hasContent: true,
    upstreamModel: "",
    failure: null,
    finishReasons: null,
    complete: false,
  };
  return {
    reading,
    feed(chunk) {
      bytes += chunk.length;
      const out = waiting;
      waiting = [chunk];
      return out;
    },
    rest() {
      const out = waiting;
      waiting = [];
      return out;
    },
  };
}
