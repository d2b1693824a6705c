import { once } from "node:events";
import type { Connection, PoolClient, Submittable } from "pg";

/**
 * Sends the pieces of text to a `COPY … FROM STDIN` of the connection; the pieces are made as fast as the server takes
 * them. @throws what the server says.
 */
export function copyIn(client: PoolClient, sql: string, pieces: Iterable<string>): Promise<void> {
  return new Promise((resolve, reject) => client.query(new CopyIn(sql, pieces, (error) => (error ? reject(error) : resolve()))));
}

/** The driver's own form of a query; the names of its methods are those that the driver calls. */
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

/** A message of the frontend: its kind, its length with the four bytes of the length, its body. */
function message(kind: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(kind);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}
