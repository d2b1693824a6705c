import { access, constants, statfs } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { migrationStatus } from "@sluice/db/migrate";
import { checkRedis } from "@sluice/db/redis";
import { checkSecretFingerprint } from "@sluice/db/secrets";
import { makeDataDir, readOrMakeSecret } from "../data-dir.ts";
import { openStorage, type Storage } from "../storage.ts";
import type { Command, CommandInput } from "./command.ts";
import { commandLog } from "./with-services.ts";

const consoleIndex = fileURLToPath(new URL("../../../console/dist/index.html", import.meta.url));
/** Ids contain the time, so an instance with a larger skew is not ready. */
const MOST_SKEW_MS = 60_000;
const LEAST_FREE_BYTES = 512 * 2 ** 20;

/** A check: its name, and a function that returns the finding or throws when something is wrong. */
type Look = readonly [what: string, look: () => Promise<string>];

export const doctor: Command = {
  name: "doctor",
  usage: "",
  summary: "checks everything Sluice needs and reports what is wrong",
  options: {},
  async run(input) {
    let wrong = 0;
    const report = async ([what, look]: Look): Promise<void> => {
      try {
        input.terminal.out(`ok    ${what}: ${await look()}`);
      } catch (thrown) {
        wrong += 1;
        input.terminal.out(`WRONG ${what}: ${textOf(thrown)}`);
      }
    };
    for (const look of machineLooks(input)) await report(look);
    // Connections are opened by the first query: that there are pools says nothing about the servers, and each is checked below.
    const storage = await openStorage(input.env, commandLog(input)).catch((error: unknown) =>
      report(["connections", () => Promise.reject(error)]),
    );
    if (storage) {
      try {
        for (const look of storageLooks(input, storage)) await report(look);
      } finally {
        await storage.close();
      }
    }
    input.terminal.out(wrong === 0 ? "All checks passed." : `${wrong} ${wrong === 1 ? "check" : "checks"} failed.`);
    return wrong === 0 ? 0 : 1;
  },
};

function machineLooks({ env }: CommandInput): Look[] {
  return [
    [
      "Node",
      async () =>
        Number(process.versions.node.split(".")[0]) >= 24
          ? process.version
          : fail(`${process.version}, but 24 or newer is required: use npm run sluice`),
    ],
    [
      "data directory",
      async () => {
        await makeDataDir(env.dataDir);
        await access(env.dataDir, constants.R_OK | constants.W_OK);
        const { bavail, bsize } = await statfs(env.dataDir);
        const free = bavail * bsize;
        return free >= LEAST_FREE_BYTES
          ? `${env.dataDir}, ${Math.round(free / 2 ** 30)} GB free`
          : fail(`${env.dataDir} has less than 512 MB free`);
      },
    ],
    [
      "console",
      async () =>
        await access(consoleIndex).then(
          () => "built",
          () => fail("not built: run npm run build"),
        ),
    ],
  ];
}

function storageLooks({ env }: CommandInput, storage: Storage): Look[] {
  return [
    [
      "Postgres",
      async () => {
        const { rows } = await storage.pool.query<{ version: string; ms: string }>(
          "SELECT current_setting('server_version') AS version, extract(epoch FROM clock_timestamp()) * 1000 AS ms",
        );
        const skewMs = Math.abs(Number(rows[0]?.ms) - Date.now());
        return skewMs <= MOST_SKEW_MS
          ? `${rows[0]?.version}, clocks agree`
          : fail(`its clock differs by ${Math.round(skewMs / 1000)} s: synchronize the clocks, because ids carry the time`);
      },
    ],
    [
      "migrations",
      async () => {
        const { applied, pending, unknown, edited, failed } = await migrationStatus(storage.databaseUrl);
        if (failed.length > 0) fail(`failed: ${failed.join(", ")}`);
        if (unknown.length > 0) fail(`the database belongs to a newer version: ${unknown.join(", ")}`);
        if (edited.length > 0) fail(`changed after they were applied: ${edited.join(", ")}`);
        if (pending.length > 0) fail(`pending: ${pending.join(", ")} (run migrate, or start the server)`);
        return `${applied.length} applied`;
      },
    ],
    [
      "secret",
      async () => {
        await checkSecretFingerprint(storage.pool, await readOrMakeSecret(env.dataDir, env.secret));
        return "matches the database";
      },
    ],
    [
      "Redis",
      async () => {
        if (!storage.redis) return "none: limits, live events and sessions are kept in one process";
        const { reachable, version, warnings } = await checkRedis(storage.redis);
        if (!reachable) fail("does not respond");
        if (warnings.length > 0) fail(warnings.join(" "));
        return version;
      },
    ],
  ];
}

/** A refused connection to a name with several addresses has only a code. */
function textOf(thrown: unknown): string {
  const { message, code } = thrown as Partial<NodeJS.ErrnoException>;
  return message || code || String(thrown);
}

function fail(message: string): never {
  throw new Error(message);
}
