import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { runCli } from "./cli.ts";
import { readEnv, variableNames } from "./env.ts";

/** Only read in test builds, or described in docs/observability.md. */
const elsewhere = /^(SLUICE_FAILPOINT|SLUICE_SEGMENT_BYTES|OTEL_(?!EXPORTER_OTLP_ENDPOINT).+)$/;

const quoted = (cell = ""): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, text]) => text ?? "");

describe.each(["README.md", "README.zh-CN.md"])("%s", (path) => {
  const text = readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");

  it("has every environment variable with its default, and no other", () => {
    const rows = [...text.matchAll(/^\| (`[A-Z_]+`[^|]*)\|([^|]*)\|/gm)];
    const told = new Map(rows.flatMap(([, names, values]) => quoted(names).map((name, at) => [name, quoted(values)[at]])));
    expect([...told.keys()].sort()).toEqual(variableNames.filter((name) => !elsewhere.test(name)).sort());
    const { host, port, roles, trustedHops, drainSeconds, logLevel } = readEnv({});
    expect(Object.fromEntries([...told].filter(([, value]) => value !== undefined))).toEqual({
      ...{ HOST: host, PORT: `${port}`, SLUICE_DATA_DIR: ".sluice", SLUICE_ROLES: [...roles].join() },
      ...{ SLUICE_TRUSTED_HOPS: `${trustedHops}`, SLUICE_DRAIN_SECONDS: `${drainSeconds}`, SLUICE_LOG_LEVEL: logLevel },
    });
  });

  it("has every command, and no other", async () => {
    const said: string[] = [];
    await runCli(["--help"], {}, { out: () => undefined, err: (line) => void said.push(line), signal: AbortSignal.abort() });
    const commands = said.flatMap((line) => /^ {2}([a-z]+(?: [a-z-]+)?)/.exec(line)?.[1] ?? []);
    expect(commands.length).toBeGreaterThan(5);
    const [, told = ""] = /`npm run sluice -- (key create \|[^`]+)`/.exec(text) ?? [];
    expect(told.split(" | ").map((command) => command.replace(/ [A-Z]+$/, ""))).toEqual(commands);
  });
});
