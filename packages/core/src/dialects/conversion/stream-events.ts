import type { JsonRecord } from "../json.ts";
import type { AnswerEvent } from "./intermediate.ts";

/** Reads one stream of a dialect and tells what each of its events means. */
export interface StreamEventReader {
  /** `name` is the event's name or ''; `data()` its parsed JSON or null; `text` the raw data. */
  read(name: string, data: () => JsonRecord | null, text: string): Iterable<AnswerEvent>;
  /** What is still to be told when the stream is complete without its terminal event. */
  end?(): Iterable<AnswerEvent>;
}

/** Writes one stream of a dialect. It receives sequenced events and returns whole SSE events, or ''. */
export interface StreamEventWriter {
  write(event: AnswerEvent): string;
}
