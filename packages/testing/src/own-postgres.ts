import { silentLog } from "@sluice/core/log";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "@sluice/db/embedded-postgres";
import { isProcessAlive } from "@sluice/db/process-facts";
import pg from "pg";
import { until } from "./deadline.ts";
import { makeDataDir } from "./server-process.ts";

/** A PostgreSQL for one test, which can take it down; to the server it is an external one. */
export interface OwnPostgres {
  url: string;
  pool: pg.Pool;
  /** SIGINT as an operator does it: sessions end and new ones are refused; SIGQUIT is a crash. Resolves when nothing listens any more. */
  takeDown(signal?: "SIGINT" | "SIGQUIT"): Promise<void>;
  /** Starts it again on the same port. */
  bringBack(): Promise<void>;
  remove(): Promise<void>;
}

/** Starts an empty PostgreSQL; without `durable` it does not fsync. */
export async function startOwnPostgres({ durable = false } = {}): Promise<OwnPostgres> {
  const dir = makeDataDir();
  const start = () => startEmbeddedPostgres({ dataDir: dir.path, durable, log: silentLog });
  const handles: EmbeddedPostgres[] = [await start()];
  const { url, port } = handles[0] as EmbeddedPostgres;
  const pool = new pg.Pool({ connectionString: url, max: 3 });
  // These tests expect idle connections to break.
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
