/** The part of pg-copy-streams used here; the package ships no types. */
declare module "pg-copy-streams" {
  import type { Readable, Writable } from "node:stream";
  import type { Submittable } from "pg";
  /** The bytes of a COPY … TO STDOUT; `rowCount` once it has ended. */
  export function to(sql: string): Readable & Submittable & { rowCount: number };
  /** Takes the bytes of a COPY … FROM STDIN. */
  export function from(sql: string): Writable & Submittable & { rowCount: number };
}
