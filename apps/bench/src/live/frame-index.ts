import { unpackTables } from "@sluice/core/packed-tables";

/**
 * Parses frames that arrive at a thousand viewers only once: frames with the same id and bytes are identical. Messages are compared byte
 * by byte, so that a frame which differs for one viewer is not mistaken for another.
 */
export interface SeenFrame {
  id: string;
  bytes: Buffer;
  /** Index of each request that ended in it. */
  finished: number[];
  hole: boolean;
  /** When it arrived at each viewer, in ms of the machine's clock. Empty unless arrivals are recorded. */
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

  /** `message` is one event of the stream: lines of `data` and `id`. Returns null if it is not a frame. */
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

  /** Releases the bytes; a frame that arrives again afterwards counts as new. */
  forget(): void {
    this.#byId.clear();
    this.frames.length = 0;
  }
}

const dataField = Buffer.from("data: ");
