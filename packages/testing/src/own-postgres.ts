import { silentLog } from "@sluice/core/log";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "@sluice/db/embedded-postgres";
import { isProcessAlive } from "@sluice/db/process-facts";
import pg from "pg";
import { until } from "./deadline.ts";
import { makeDataDir } from "./server-process.ts";

/** A PostgreSQL that only this test uses, so that it can be taken away; to the server it is an external one. */
export interface OwnPostgres {
  url: string;
  pool: pg.Pool;
  /** As an operator does it: sessions are ended, new ones refused; by SIGQUIT it crashes. Resolves when nothing listens any more. */
  takeDown(signal?: "SIGINT" | "SIGQUIT"): Promise<void>;
  /** Starts it again on the same port. */
  bringBack(): Promise<void>;
  remove(): Promise<void>;
}

/** Starts an empty one; without `durable` it calls no fsync. */
export async function startOwnPostgres({ durable = false } = {}): Promise<OwnPostgres> {
  const dir = makeDataDir();
  const start = () => startEmbeddedPostgres({ dataDir: dir.path, durable, log: silentLog });
  const handles: EmbeddedPostgres[] = [await start()];
  const { url, port } = handles[0] as EmbeddedPostgres;
  const pool = new pg.Pool({ connectionString: url, max: 3 });
  // An idle connection that ends is what these tests are about.
  pool.on("error", () => undefined);
  return {
    url,
    pool,
    async takeDown(signal = "SIGINT") {
      const pid = handles.at(-1)?.pid ?? -1;
      process.kill(pid, signal);
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
