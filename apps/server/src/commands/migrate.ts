import { migrate } from "@sluice/db/migrate";
import { ensurePartitions } from "@sluice/db/partitions";
import { makeDataDir } from "../data-dir.ts";
import { openStorage } from "../storage.ts";
import type { Command } from "./command.ts";
import { commandLog } from "./with-services.ts";

export const migrateCommand: Command = {
  name: "migrate",
  usage: "",
  summary: "migrates the database and creates partitions ahead",
  options: {},
  async run(input) {
    const log = commandLog(input);
    await makeDataDir(input.env.dataDir);
    const storage = await openStorage(input.env, log);
    try {
      const applied = await migrate(storage.databaseUrl, { log });
      await ensurePartitions(storage.pool, { nowMs: Date.now() });
      input.terminal.out(applied.length > 0 ? `Applied ${applied.join(", ")}.` : "The database is up to date.");
      return 0;
    } finally {
      await storage.close();
    }
  },
};
