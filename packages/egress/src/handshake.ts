import type { Socket } from "node:net";
import { unreachable } from "./guard.ts";

/** The dialogue on a socket before it carries HTTP: bytes are read on demand, and every wait ends. */
export class Handshake {
  readonly #socket: Socket;
  readonly #timer: NodeJS.Timeout;
  #bytes: Buffer = Buffer.alloc(0);
  #failure: Error | null = null;
  #wake: () => void = () => undefined;

  constructor(socket: Socket, timeoutMs: number) {
    this.#socket = socket;
    this.#timer = setTimeout(() => this.#fail(unreachable("the proxy does not answer")), timeoutMs);
    socket.on("data", this.#onData).on("error", this.#onError).on("close", this.#onClose);
  }

  write(bytes: Buffer | string): void {
    this.#socket.write(bytes);
  }

  /**
   * Returns the next bytes, as many as `lengthOf` computes from those received; waits while it returns 0 or more than there are.
   * @throws when the connection ends, or what `lengthOf` throws.
   */
  async take(lengthOf: (bytes: Buffer) => number): Promise<Buffer> {
    for (;;) {
      if (this.#failure) throw this.#failure;
      const length = lengthOf(this.#bytes);
      if (length > 0 && length <= this.#bytes.length && this.#bytes.length > 0) {
        const taken = this.#bytes.subarray(0, length);
        this.#bytes = this.#bytes.subarray(length);
        return taken;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Releases the socket; surplus bytes are returned to it for its next owner. */
  release(): void {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    socket.off("data", this.#onData).off("error", this.#onError).off("close", this.#onClose).pause();
    if (this.#bytes.length > 0 && !socket.destroyed) socket.unshift(this.#bytes);
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    this.#wake();
  };
  readonly #onError = (error: Error): void => this.#fail(unreachable(`the proxy: ${error.message}`, error));
  readonly #onClose = (): void => this.#fail(unreachable("the proxy closed the connection"));

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#wake();
  }
}
