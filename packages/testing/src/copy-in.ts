import { once } from "node:events";
import type { Connection, PoolClient, Submittable } from "pg";

/**
 * Sends chunks of text to a `COPY … FROM STDIN` on the connection; chunks are generated only as fast as the server accepts them.
 * @throws the server's error.
 */
export function copyIn(client: PoolClient, sql: string, pieces: Iterable<string>): Promise<void> {
  return new Promise((resolve, reject) => client.query(new CopyIn(sql, pieces, (error) => (error ? reject(error) : resolve()))));
}

/** The driver's interface for a query; the driver calls these method names. */
class CopyIn implements Submittable {
  readonly #sql: string;
  readonly #pieces: Iterable<string>;
  readonly #done: (error: Error | undefined) => void;
  #error: Error | undefined;

  constructor(sql: string, pieces: Iterable<string>, done: (error: Error | undefined) => void) {
    this.#sql = sql;
    this.#pieces = pieces;
    this.#done = done;
  }

  submit(connection: Connection): void {
    connection.query(this.#sql);
  }

  handleCopyInResponse(connection: Connection): void {
    void this.#send(connection);
  }

  handleError(error: Error): void {
    this.#error = error;
  }

  handleCommandComplete(): void {}

  handleReadyForQuery(): void {
    this.#done(this.#error);
  }

  async #send({ stream }: Connection): Promise<void> {
    for (const piece of this.#pieces) {
      if (this.#error) break;
      if (!stream.write(message("d", Buffer.from(piece)))) await once(stream, "drain");
    }
    stream.write(message("c", Buffer.alloc(0)));
  }
}

/** A frontend message: type, length including its own four bytes, body. */
function message(kind: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(kind);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}
