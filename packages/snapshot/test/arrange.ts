import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Log } from "@sluice/core/log";
import { createPool } from "@sluice/db/postgres";
import type { Snapshot } from "@sluice/snapshot/config";
import { bumpConfigVersion } from "@sluice/snapshot/config-version";
import { createSnapshot, type SnapshotOptions } from "@sluice/snapshot/create-snapshot";
import { testSecret } from "@sluice/testing/factories";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import type { Pool } from "pg";

/** A connection to Postgres that can be cut and frozen without affecting the server, which other tests share. */
interface Wire {
  pool: Pool;
  /** Connections taken from the pool so far; each is one query to Postgres. */
  visits(): number;
  /** Refuses and breaks all connections. */
  cut(): void;
  /** Nothing passes any more, and nothing breaks. */
  freeze(): void;
  heal(): void;
  close(): Promise<void>;
}

async function wireTo(url: string): Promise<Wire> {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  let state: "up" | "cut" | "frozen" = "up";
  const server = createServer((near) => {
    if (state === "cut") {
      near.destroy();
      return;
    }
    const far = connect(Number(target.port), target.hostname);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on("error", () => to.destroy());
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
      from.on("data", (chunk) => {
        if (state === "up") to.write(chunk);
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const through = new URL(url);
  through.port = String((server.address() as AddressInfo).port);
  const pool = createPool(through.toString(), { max: 3, connectTimeoutMs: 1_000 });
  let visits = 0;
  pool.on("acquire", () => visits++);
  const breakAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    pool,
    visits: () => visits,
    cut() {
      state = "cut";
      breakAll();
    },
    freeze() {
      state = "frozen";
    },
    heal() {
      // What was swallowed while frozen is lost, so those connections are unusable.
      if (state === "frozen") breakAll();
      state = "up";
    },
    async close() {
      breakAll();
      await pool.end();
      server.close();
    },
  };
}

/** Log lines by level, for the test to read. */
export function keptLog(): Log & { lines: { level: string; message: string }[] } {
  const lines: { level: string; message: string }[] = [];
  const at = (level: string) => (_: object, message: string) => void lines.push({ level, message });
  return { lines, debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

export interface World {
  database: TestDatabase;
  dir: string;
  path: string;
  wire(): Promise<Wire>;
  start(options?: Partial<SnapshotOptions>): Promise<Snapshot>;
  /** What a service does around a change: raises the version in a transaction and returns it. */
  bump(): Promise<string>;
  /** Closes everything that was started since the last call. */
  tidy(): Promise<void>;
  close(): Promise<void>;
}

/** A database, a data directory, and snapshots that use them. */
export async function createWorld(): Promise<World> {
  const database = await createTestDatabase();
  const dir = await mkdtemp(join(tmpdir(), "sluice-snapshot-"));
  const path = join(dir, "snapshot.json");
  const opened: (() => Promise<void>)[] = [];
  const tidy = async (): Promise<void> => {
    for (const close of opened.splice(0).reverse()) await close();
  };
  return {
    database,
    dir,
    path,
    async wire() {
      const wire = await wireTo(database.url);
      opened.push(() => wire.close());
      return wire;
    },
    async start(options = {}) {
      const snapshot = await createSnapshot({ pool: database.pool, redis: null, secret: testSecret, path, ...options });
      opened.push(() => snapshot.close());
      return snapshot;
    },
    async bump() {
      const client = await database.pool.connect();
      try {
        return await bumpConfigVersion(client);
      } finally {
        client.release();
      }
    },
    tidy,
    async close() {
      await tidy();
      await database.drop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
