import type { JsonRecord } from "../json.ts";
import type { AnswerEvent } from "./intermediate.ts";

/** A dialect's reader of one stream: what each of its events means. */
export interface StreamEventReader {
  /** `name` is the event's, '' when it has none; `data()` its parsed JSON, null when it is none; `text` the data as it came. */
  read(name: string, data: () => JsonRecord | null, text: string): Iterable<AnswerEvent>;
}

/** A dialect's writer of one stream. It is given sequenced events and answers with whole SSE events, or ''. */
export interface StreamEventWriter {
  write(event: AnswerEvent): string;
}
