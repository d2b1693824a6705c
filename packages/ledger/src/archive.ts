import { createWriteStream } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type pg from "pg";
import { to as copyTo } from "pg-copy-streams";

/** The table to archive and where to write it. */
export interface ArchiveOptions {
  /** In the schema `partitions`, already detached: no rows are added while it is copied. */
  name: string;
  /** Distinguishes the table from a later one of the same name. */
  oid: number;
  dir: string;
  signal?: AbortSignal | undefined;
}

/**
 * Writes a table as gzipped CSV with a header, readable by `COPY … (FORMAT csv, HEADER)`. The file gets its final name only
 * after all of it is on disk. @throws when any step fails; no partial file is left behind.
 */
export async function archiveTable(pool: pg.Pool, options: ArchiveOptions): Promise<{ path: string; rows: number }> {
  await mkdir(options.dir, { recursive: true, mode: 0o700 });
  const path = join(options.dir, `${options.name}.${options.oid}.csv.gz`);
  const unfinished = `${path}.part`;
  // A dedicated connection, discarded afterwards: after an interrupted COPY (a full disk) it is unusable.
  const client = await pool.connect();
  try {
    // A copy may take as long as it needs.
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
