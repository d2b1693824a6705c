import { JsonPicker } from "./json-picker.ts";
import { readEvent, type SseEvent } from "./sse.ts";

/** An event split across chunks is kept back up to this size; then it flows and is only scanned. */
export const HOLD_BYTES = 64 * 1024;

const BLOCK_BYTES = 1024;
const base64 = /^[A-Za-z0-9+/_-]+$/;

/** Whether a piece of JSON comes from inside base64 data such as an image, judged by a sample of it. */
export function isBase64(text: string): boolean {
  const from = Math.min(20_000, text.length >> 1);
  return base64.test(text.slice(from, from + 512));
}

/** An event that was too large to keep: the picked fields as its data, and an upper bound of its content. */
export interface LargeEvent extends SseEvent {
  bytes: number;
  /** It carries base64 binary data such as an image, so its size tells nothing about tokens. */
  isBinary: boolean;
}

/**
 * The bytes so far of an event that has not ended. While it is small they are copied, so that they keep no other memory alive
 * and one-byte chunks cost bytes rather than objects; once it flows, only a picker sees the rest.
 */
export class SplitEvent {
  bytes = 0;
  readonly #paths: readonly string[];
  #blocks: Buffer[] = [];
  #last: Buffer | null = null;
  #used = 0;
  #picker: JsonPicker | null = null;
  #name = "";
  #isBinary = false;

  constructor(paths: readonly string[]) {
    this.#paths = paths;
  }

  /** It has begun to flow: the earlier bytes have been released. */
  get flowing(): boolean {
    return this.#picker !== null;
  }

  append(piece: Buffer): void {
    this.bytes += piece.length;
    if (this.#picker) {
      this.#picker.push(piece.toString("latin1"));
      return;
    }
    let rest = piece;
    while (rest.length > 0) {
      if (!this.#last || this.#used === this.#last.length) {
        this.#last = Buffer.allocUnsafeSlow(Math.max(BLOCK_BYTES, Math.min(HOLD_BYTES, Math.max(rest.length, this.bytes))));
        this.#used = 0;
        this.#blocks.push(this.#last);
      }
      const copied = rest.copy(this.#last, this.#used);
      this.#used += copied;
      rest = rest.subarray(copied);
    }
  }

  /** The kept bytes as parts, in order. */
  parts(): Buffer[] {
    return this.#blocks.map((block) => (block === this.#last ? block.subarray(0, this.#used) : block));
  }

  /** Releases and returns the kept bytes; from now on only the picked fields are remembered. */
  startFlowing(): Buffer[] {
    const parts = this.parts();
    const text = Buffer.concat(parts).toString("latin1");
    const { name, data } = readEvent(text, 0, text.length, text.includes("\r"));
    this.#name = name;
    this.#picker = new JsonPicker(this.#paths);
    this.#picker.push(data);
    this.#isBinary = isBase64(data);
    this.#blocks = [];
    this.#last = null;
    return parts;
  }

  /** The event as far as it is known, after its end was appended. */
  large(): LargeEvent {
    const fields = this.#picker?.result() ?? {};
    const data = Buffer.from(JSON.stringify(fields)).toString("latin1");
    return { name: this.#name, data, bytes: this.bytes, isBinary: this.#isBinary };
  }
}
