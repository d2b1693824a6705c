import { closeSync, openSync, writeSync } from "node:fs";
import type { Counts } from "./answers/plan.ts";

/** Written when a request's body has been read, so that a provider killed later still shows what reached it. */
interface OpenedLine {
  line: "opened";
  /** `x-request-id` as received, which is the gateway's request id; empty when absent. */
  id: string;
  /** Number of the request in this process, from 1; pairs the two lines of a request (an id may be attempted twice). */
  seq: number;
  dialect: "anthropic" | "openai" | "gemini" | "";
  endpoint: string;
  method: string;
  path: string;
  model: string;
  stream: boolean;
  /** Last four characters of the secret, which identify the provider account. */
  secretTail: string;
  headerNames: string[];
  /** As received; empty when absent. */
  traceparent: string;
  bodyBytes: number;
  openedAtMs: number;
}

/** Written when a request is over. */
export interface ClosedLine extends Omit<OpenedLine, "line"> {
  line: "closed";
  status: number;
  /** The final usage as sent, in kinds that never overlap; null when none was sent or it was odd. */
  usage: Counts | null;
  /** Only the input counts were sent before the stream ended (Anthropic's message_start, Gemini's chunks). */
  inputOnWire: boolean;
  /** The usage was deliberately impossible, or left out. */
  oddUsage: string | null;
  outputTokensSent: number;
  contentBytesSent: number;
  /** done: the whole answer was written; scripted: it ended as the scenario demanded; client_closed: the client left. */
  endedBy: "done" | "client_closed" | "scripted";
  closedAtMs: number;
}

export type OracleLine = OpenedLine | ClosedLine;

/** Lines kept in memory for tests and `/__oracle`; the file has all of them. */
const KEPT_LINES = 50_000;

export interface Oracle {
  write(line: OracleLine): void;
  lines(): OracleLine[];
  close(): void;
}

/** Opens the append-only file: one JSON object per line, written synchronously so that a kill loses nothing. */
export function openOracle(path: string | undefined): Oracle {
  const file = path === undefined ? null : openSync(path, "a");
  let kept: OracleLine[] = [];
  return {
    write(line) {
      if (file !== null) writeSync(file, `${JSON.stringify(line)}\n`);
      kept.push(line);
      if (kept.length > KEPT_LINES * 2) kept = kept.slice(-KEPT_LINES);
    },
    lines: () => kept.slice(),
    close: () => {
      if (file !== null) closeSync(file);
    },
  };
}
