import type { Dialect, Envelope, Reading, Route, StreamMeter } from "@sluice/core/dialects/dialect";
import { JsonPicker } from "@sluice/core/dialects/json-picker";
import { isBase64 } from "@sluice/core/dialects/split-event";
import { noUsage } from "@sluice/core/requests";

/** Rough number of JSON bytes (UTF-8) per token, used when no better estimate is available. */
const bytesPerToken = 4;

/**
 * Meters a whole answer that is too large to be held. Its own usage, which is at its end, is picked out as it passes; until then, or if
 * there is none, bytes are counted, except for images and the like, whose size tells nothing about tokens. The part held so far is
 * passed on first, and the newest chunk is always kept back, because the end waits for the charge.
 */
export function largeAnswerMeter(
  held: readonly Buffer[],
  { dialect, route, envelope }: { dialect: Dialect; route: Route; envelope: Envelope },
): StreamMeter {
  const picker = new JsonPicker(dialect.answerPaths);
  let waiting: Buffer[] = [...held];
  let bytes = 0;
  const reading: Reading = {
    usage: noUsage,
    usageReported: false,
    anomaly: false,
    get estimate() {
      return { ...noUsage, input: envelope.inputEstimate, output: Math.ceil(bytes / bytesPerToken) };
    },
    hasContent: true,
    upstreamModel: "",
    failure: null,
    finishReasons: null,
    complete: false,
  };
  const look = (chunk: Buffer): void => {
    const text = chunk.toString("latin1");
    picker.push(text);
    if (!isBase64(text)) bytes += chunk.length;
  };
  for (const part of held) look(part);
  return {
    reading,
    feed(chunk) {
      look(chunk);
      const out = waiting;
      waiting = [chunk];
      return out;
    },
    rest() {
      const said = dialect.readAnswer(Buffer.from(JSON.stringify(picker.result())), route, envelope);
      const { usage, usageReported, anomaly, upstreamModel } = said;
      if (usageReported) Object.assign(reading, { usage, usageReported, anomaly });
      reading.upstreamModel = upstreamModel;
      const out = waiting;
      waiting = [];
      return out;
    },
  };
}
