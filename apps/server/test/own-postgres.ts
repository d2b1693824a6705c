import { silentLog } from "@sluice/core/log";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "@sluice/db/embedded-postgres";
import { isProcessAlive } from "@sluice/db/process-facts";
import { until } from "@sluice/testing/deadline";
import { makeDataDir } from "@sluice/testing/server-process";
import pg from "pg";

/** A PostgreSQL that only this test uses, so that it can be taken away; to the server it is an external one. */
export interface OwnPostgres {
  url: string;
  pool: pg.Pool;
  /** As an operator does it: sessions are ended, new ones refused. Resolves when nothing listens any more. */
  takeDown(): Promise<void>;
  /** Starts it again on the same port. */
  bringBack(): Promise<void>;
  remove(): Promise<void>;
}

/** Starts an empty one. */
export async function startOwnPostgres(): Promise<OwnPostgres> {
  const dir = makeDataDir();
  const start = () => startEmbeddedPostgres({ dataDir: dir.path, durable: false, log: silentLog });
  const handles: EmbeddedPostgres[] = [await start()];
  const { url, port } = handles[0] as EmbeddedPostgres;
  const pool = new pg.Pool({ connectionString: url, max: 3 });
  // An idle connection that ends is what these tests are about.
  pool.on("error", () => undefined);
  return {
    url,
    pool,
    async takeDown() {
      const pid = handles.at(-1)?.pid ?? -1;
      process.kill(pid, "SIGINT");
      await until(async () => !(await isProcessAlive(pid)), { what: "PostgreSQL has stopped", deadlineMs: 30_000 });
    },
    async bringBack() {
      const handle = await start();
      handles.push(handle);
      if (handle.port !== port) throw new Error(`PostgreSQL came back on port ${handle.port}, not ${port}`);
    },
    async remove() {
      await pool.end();
      for (const handle of handles) await handle.stop();
      await dir.remove();
    },
  };
}
