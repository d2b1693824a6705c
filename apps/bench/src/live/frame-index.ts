import { unpackTables } from "@sluice/core/packed-tables";

/**
 * Reads frames that arrive at a thousand viewers once: frames with the same id and the same bytes are one. A viewer's
 * messages are compared byte by byte, so that a frame which differs for one of them is not taken for the other.
 */
export interface SeenFrame {
  id: string;
  bytes: Buffer;
  /** Index of each request that ended in it. */
  finished: number[];
  hole: boolean;
  /** When it arrived, in ms of the machine's clock, once a viewer. Empty unless arrivals are noted. */
  arrivals: number[];
}

interface FrameJson {
  id: string;
  reset?: string;
  gap?: number;
  events: { type: string; row?: { id: string } }[];
}

export class FrameIndex {
  /** Index of each request, in order of appearance. */
  readonly requests = new Map<string, number>();
  readonly frames: SeenFrame[] = [];
  readonly #byId = new Map<string, SeenFrame[]>();

  /** `message` is one event of the stream: lines of `data` and `id`. Null for what is no frame. */
  find(message: Buffer): SeenFrame | null {
    const at = message.lastIndexOf("\nid: ");
    if (at < 0 || !message.subarray(0, 6).equals(dataField)) return null;
    const id = message.toString("latin1", at + 5).trimEnd();
    const same = this.#byId.get(id) ?? [];
    const known = same.find(({ bytes }) => bytes.equals(message));
    if (known) return known;
    const { json } = unpackTables(JSON.parse(message.toString("utf8", 6, at))) as { json: FrameJson };
    const ended = json.events.filter(({ type }) => type === "request.finished" || type === "request.refused");
    const finished = ended.map(({ row }) => this.indexOf(row?.id ?? ""));
    const hole = json.reset !== undefined || json.gap !== undefined;
    const frame: SeenFrame = { id, bytes: Buffer.from(message), finished, hole, arrivals: [] };
    this.frames.push(frame);
    this.#byId.set(id, [...same, frame]);
    return frame;
  }

  indexOf(requestId: string): number {
    const known = this.requests.get(requestId);
    if (known !== undefined) return known;
    this.requests.set(requestId, this.requests.size);
    return this.requests.size - 1;
  }

  /** Lets the bytes go; whoever gets one of these frames again is told of it as of a new one. */
  forget(): void {
    this.#byId.clear();
    this.frames.length = 0;
  }
}

const dataField = Buffer.from("data: ");
