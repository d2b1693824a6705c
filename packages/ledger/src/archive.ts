import { createWriteStream } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type pg from "pg";
import { to as copyTo } from "pg-copy-streams";

/** Which table, and where it goes. */
export interface ArchiveOptions {
  /** In the schema `partitions`; no longer attached, so that nothing is added meanwhile. */
  name: string;
  /** Tells it from a later table of the same name. */
  oid: number;
  dir: string;
  signal?: AbortSignal | undefined;
}

/**
 * Writes a table as compressed CSV with a header, as `COPY … (FORMAT csv, HEADER)` reads it back. The file has its name only
 * once all of it is on the disk. @throws when any of it fails; nothing is left behind then.
 */
export async function archiveTable(pool: pg.Pool, options: ArchiveOptions): Promise<{ path: string; rows: number }> {
  await mkdir(options.dir, { recursive: true, mode: 0o700 });
  const path = join(options.dir, `${options.name}.${options.oid}.csv.gz`);
  const unfinished = `${path}.part`;
  // On a connection of its own: one whose COPY was cut short (a full disk) answers nothing any more.
  const client = await pool.connect();
  try {
    // As long as it takes.
    await client.query("SET statement_timeout = 0");
    const source = client.query(copyTo(`COPY "partitions"."${options.name}" TO STDOUT WITH (FORMAT csv, HEADER)`));
    await pipeline(source, createGzip(), createWriteStream(unfinished, { mode: 0o600 }), { signal: options.signal });
    await sync(unfinished);
    await rename(unfinished, path);
    await sync(options.dir);
    return { path, rows: source.rowCount };
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  } finally {
    client.release(true);
  }
}

async function sync(path: string): Promise<void> {
  const file = await open(path, "r");
  await file.sync().finally(() => file.close());
}
