import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Redis } from "ioredis";
import type pg from "pg";

/** Planted secrets by name; a failing test prints the name. */
export type Canaries = Record<string, string>;

/** The places searched: name → full text. */
export type Outputs = Record<string, string>;

/** `canary in output` for each one found, in plain text or in a reversible encoding. */
export function foundCanaries(canaries: Canaries, outputs: Outputs): string[] {
  const found: string[] = [];
  for (const [name, secret] of Object.entries(canaries)) {
    if (secret.length < 12) throw new RangeError(`the canary ${name} is too short to be told from chance`);
    for (const [output, text] of Object.entries(outputs))
      if (formsOf(secret).some((form) => text.includes(form))) found.push(`${name} in ${output}`);
  }
  return found;
}

function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const json = JSON.stringify(secret).slice(1, -1);
  return [
    secret,
    json,
    encodeURIComponent(secret),
    bytes.toString("hex"),
    bytes.toString("base64").replace(/=+$/, ""),
    bytes.toString("base64url"),
  ];
}

/** Every row of every table, including partitions, as text; no table is left out. */
export async function dumpPostgres(pool: pg.Pool): Promise<string> {
  const { rows: tables } = await pool.query<{ name: string }>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg_toast%' ORDER BY 1`,
  );
  const parts: string[] = [];
  for (const { name } of tables) {
    const { rows } = await pool.query<{ text: string }>(`SELECT t::text AS text FROM ${name} t`);
    parts.push(name, ...rows.map(({ text }) => text));
  }
  return parts.join("\n");
}

const readers: Record<string, (client: Redis, key: string) => Promise<unknown>> = {
  string: (client, key) => client.get(key),
  hash: (client, key) => client.hgetall(key),
  list: (client, key) => client.lrange(key, 0, -1),
  set: (client, key) => client.smembers(key),
  zset: (client, key) => client.zrange(key, "0", "-1"),
  stream: (client, key) => client.xrange(key, "-", "+"),
};

/** Every key with its value, as text. */
export async function dumpRedis(url: string): Promise<string> {
  const client = new Redis(url);
  const parts: string[] = [];
  for await (const keys of client.scanStream({ count: 500 }) as AsyncIterable<string[]>) {
    for (const key of keys) {
      const type = await client.type(key);
      // Deleted since it was listed.
      if (type === "none") continue;
      const read = readers[type];
      if (!read) throw new TypeError(`${key} is a ${type}, which nobody reads here`);
      parts.push(`${key} ${JSON.stringify(await read(client, key))}`);
    }
  }
  client.disconnect();
  return parts.join("\n");
}

/** Every file below a folder, by path; bytes are read as Latin-1, which loses none. */
export async function dumpFiles(root: string): Promise<Outputs> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(await Promise.all(paths.map(async (path) => [path, await readFile(path, "latin1").catch(() => "")] as const)));
}
