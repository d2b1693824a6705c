import { readFile } from "node:fs/promises";
import { applyConfig } from "@sluice/services/config/apply-config";
import { ConfigFileError } from "@sluice/services/config/config-file-error";
import type { Command } from "./command.ts";
import { withServices } from "./with-services.ts";

export const configApply: Command = {
  name: "config apply",
  usage: "FILE",
  summary: "applies a YAML configuration file; applying it again changes nothing",
  options: {},
  positionals: ["FILE"],
  async run(input) {
    const { terminal, environment } = input;
    const path = input.positionals[0] ?? "";
    const text = await readFile(path, "utf8");
    try {
      const summary = await withServices(input, (ctx) => applyConfig(ctx, text, environment, { showsSecrets: true }));
      for (const entry of summary.created) terminal.err(`created ${entry}`);
      for (const entry of summary.updated) terminal.err(`updated ${entry}`);
      for (const note of summary.notes) terminal.err(`note: ${note}`);
      if (summary.created.length + summary.updated.length === 0) terminal.err("Nothing to change.");
      for (const { user, key, secret } of summary.secrets) terminal.out(`${user}\t${key}\t${secret}`);
      return 0;
    } catch (thrown) {
      if (!(thrown instanceof ConfigFileError)) throw thrown;
      for (const problem of thrown.problems) terminal.err(`${path}: ${problem}`);
      return 1;
    }
  },
};
