import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { makeApiKey } from "@sluice/core/api-key";
import { silentLog } from "@sluice/core/log";
import { hashToken } from "@sluice/db/secrets";
import { checkoutDir } from "@sluice/testing/checkout";
import { until } from "@sluice/testing/deadline";
import { freePort } from "@sluice/testing/ports";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli } from "../src/cli.ts";
import type { Terminal } from "../src/commands/command.ts";
import { readEnv } from "../src/env.ts";
import { startServer } from "../src/start-server.ts";

const cli = join(checkoutDir, "apps/server/src/cli.ts");

let database: TestDatabase;
let dir: string;
let environment: NodeJS.ProcessEnv;

beforeAll(async () => {
  database = await createTestDatabase();
  dir = await mkdtemp(join(tmpdir(), "sluice-cli-"));
  environment = {
    SLUICE_DATA_DIR: dir,
    DATABASE_URL: database.url,
    REDIS_URL: "none",
    PORT: String(await freePort()),
    SLUICE_LOG_LEVEL: "error",
  };
});
afterAll(async () => {
  await database?.drop();
  if (dir) await rm(dir, { recursive: true, force: true });
});

function terminal(): Terminal & { lines: string[]; said: string[]; stop(): void } {
  const [lines, said]: [string[], string[]] = [[], []];
  const abort = new AbortController();
  return {
    lines,
    said,
    out: (line) => void lines.push(line),
    err: (line) => void said.push(line),
    signal: abort.signal,
    stop: () => abort.abort(),
  };
}

async function run(...args: string[]): Promise<{ code: number; lines: string[]; said: string[] }> {
  const { lines, said, ...rest } = terminal();
  return { code: await runCli(args, environment, { ...rest }), lines, said };
}

describe("the command line", () => {
  it("explains itself and what was written wrongly", async () => {
    expect(await run()).toMatchObject({ code: 0, said: expect.arrayContaining(["Usage: npm run sluice -- <command>"]) });
    expect((await run("nonsense")).code).toBe(2);
    expect(await run("key", "create")).toMatchObject({
      code: 2,
      said: ["--user is missing", expect.stringContaining("Usage: npm run sluice -- key create")],
    });
    expect((await run("key", "create", "--colour", "red")).code).toBe(2);
    expect((await run("key", "create", "--user", "a@b.c", "--name", "x", "--rpm", "many")).said[0]).toBe("--rpm must be a whole number");
    expect((await run("config", "apply")).said[0]).toBe("FILE is expected");
    for (const flag of ["--help", "-h"])
      expect(await run("user", "create", flag)).toMatchObject({
        code: 0,
        said: [expect.stringContaining("Usage: npm run sluice -- user create --email"), expect.stringContaining("creates a user")],
      });
  });

  it("P03: explains itself where no Redis is, and connects to none", async () => {
    const { err, said, ...rest } = terminal();
    expect(await runCli(["--help"], { ...environment, REDIS_URL: "redis://127.0.0.1:1" }, { ...rest, err })).toBe(0);
    expect(said.join("\n")).toContain("key create");
  });

  it("names the problems of the environment", async () => {
    const { err, said, ...rest } = terminal();
    expect(await runCli(["migrate"], { ...environment, PORT: "x" }, { ...rest, err })).toBe(2);
    expect(said.join()).toContain("PORT");
  });

  it("makes users and keys that work, and resets passwords", async () => {
    const user = await run("user", "create", "--email", "ada@example.com", "--name", "Ada", "--role", "admin");
    expect(user).toMatchObject({ code: 0, said: ["Created admin ada@example.com."], lines: [expect.stringMatching(/^[\w-]{20}$/)] });
    const key = await run("key", "create", "--user", "Ada@example.com", "--name", "laptop", "--rpm", "5");
    expect(key.code).toBe(0);
    const stored = await database.prisma.key.findUnique({ where: { sha256: hashToken(key.lines[0] ?? "") } });
    expect(stored).toMatchObject({ name: "laptop", rpm: 5, inFlight: null, group: "default" });
    expect(await run("key", "create", "--user", "ada@example.com", "--name", "laptop")).toMatchObject({
      code: 1,
      said: [expect.stringContaining("already exists")],
    });
    expect(await run("key", "create", "--user", "nobody@example.com", "--name", "x")).toMatchObject({
      code: 1,
      said: [expect.stringContaining("There is no user")],
    });

    const before = await database.prisma.user.findFirst({ where: { email: "ada@example.com" } });
    const file = join(dir, "password");
    await writeFile(file, "a password from a file\n");
    expect(await run("admin", "reset-password", "--email", "ada@example.com", "--password-file", file)).toMatchObject({
      code: 0,
      lines: [],
    });
    expect((await database.prisma.user.findFirst({ where: { email: "ada@example.com" } }))?.passwordHash).not.toBe(before?.passwordHash);
    expect((await run("admin", "reset-password", "--email", "nobody@example.com")).code).toBe(1);
    const audit = await database.prisma.auditEntry.findMany({ where: { actorKind: "cli" }, orderBy: { id: "asc" } });
    expect(audit.map(({ action }) => action)).toEqual(["user.create", "key.create", "user.update"]);
  });

  it("reads a password from a standard input that is a socket", async () => {
    const child = spawn(process.execPath, [cli, "user", "create", "--email", "eve@example.com", "--name", "Eve", "--password-file", "-"], {
      env: { PATH: process.env.PATH, ...environment },
      stdio: ["pipe", "inherit", "pipe"],
    });
    const said = text(child.stderr);
    child.stdin.end("a password from a pipe\n");
    expect(await once(child, "exit")).toEqual([0, null]);
    expect(await said).toBe("Created user eve@example.com.\n");
  });

  it("applies a configuration file once", async () => {
    const file = join(dir, "sluice.yaml");
    const fixed = makeApiKey();
    await writeFile(
      file,
      `users:\n  - email: bob@example.com\n    keys:\n      - { name: fixed, key: { env: BOB_KEY } }\n      - { name: made }\n`,
    );
    expect(await run("config", "apply", file)).toMatchObject({
      code: 1,
      said: [expect.stringContaining("line 4: users[0].keys[0].key: the environment has no value for BOB_KEY")],
    });
    environment.BOB_KEY = fixed;
    const first = await run("config", "apply", file);
    expect(first).toMatchObject({
      code: 0,
      said: ["created user bob@example.com", "created key fixed of bob@example.com", "created key made of bob@example.com"],
    });
    expect(first.lines).toEqual([expect.stringMatching(/^bob@example.com\tmade\tsk-sluice-/)]);
    expect(first.lines.join()).not.toContain(fixed);
    expect(await run("config", "apply", file)).toEqual({ code: 0, lines: [], said: ["Nothing to change."] });
    expect((await run("config", "apply", join(dir, "missing.yaml"))).code).toBe(1);
  });

  it("migrates, and says when there is nothing to do", async () => {
    expect(await run("migrate")).toMatchObject({ code: 0, lines: ["The database is up to date."] });
  });

  it("looks at what Sluice needs", async () => {
    const { lines } = await run("doctor");
    expect(lines).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^ok {4}Postgres: 18/),
        expect.stringMatching(/^ok {4}migrations: \d+ applied/),
        "ok    secret: matches the database",
      ]),
    );
    const wrong = { ...environment, SLUICE_SECRET: "another secret of some length" };
    const { out, lines: report, ...rest } = terminal();
    expect(await runCli(["doctor"], wrong, { ...rest, out })).toBe(1);
    expect(report).toEqual(expect.arrayContaining([expect.stringMatching(/^WRONG secret: SLUICE_SECRET is not the one/)]));
  });

  it("finds nothing right about a database that is away", async () => {
    const port = await freePort();
    const { out, lines, ...rest } = terminal();
    const away = { ...environment, DATABASE_URL: `postgresql://sluice@localhost:${port}/sluice` };
    expect(await runCli(["doctor"], away, { ...rest, out })).toBe(1);
    expect(lines.join("\n")).toMatch(/^WRONG Postgres: .*ECONNREFUSED/m);
    expect(lines.filter((line) => line.startsWith("ok")).join("\n")).not.toMatch(/Postgres|connections/);
  });

  it("follows the log of a running server, and leaves no login behind", async () => {
    const server = await startServer(readEnv(environment), silentLog);
    const screen = terminal();
    const running = runCli(["logs", "tail", "--url", server.url], environment, screen);
    try {
      await until(async () => (await database.prisma.login.count()) === 1, { what: "the command has a login" });
      // Refused for its key, but shown all the same.
      await until(
        async () => {
          await fetch(`${server.url}/v1/messages`, {
            method: "POST",
            headers: { "x-api-key": makeApiKey(), "content-type": "application/json" },
            body: JSON.stringify({ model: "claude-x" }),
          });
          return screen.lines.some((line) => line.includes(" refused 401 ") && line.includes("invalid_key"));
        },
        { what: "the request is on the screen", everyMs: 200, deadlineMs: 20_000 },
      );
    } finally {
      screen.stop();
      expect(await running).toBe(0);
      await server.stop();
    }
    expect(await database.prisma.login.count()).toBe(0);
  });

  it("leaves no login behind when nobody reads its output any more", async () => {
    const server = await startServer(readEnv(environment), silentLog);
    const child = spawn(process.execPath, [cli, "logs", "tail", "--url", server.url], {
      env: { PATH: process.env.PATH, ...environment },
      stdio: ["ignore", "pipe", "ignore"],
    });
    const ended = once(child, "exit");
    try {
      await until(async () => (await database.prisma.login.count()) === 1, { what: "the command has a login", deadlineMs: 30_000 });
      child.stdout.destroy();
      await until(
        async () => {
          const body = JSON.stringify({ model: "claude-x" });
          await fetch(`${server.url}/v1/messages`, { method: "POST", headers: { "x-api-key": makeApiKey() }, body });
          return child.exitCode !== null;
        },
        { what: "it has noticed", everyMs: 200, deadlineMs: 30_000 },
      );
      expect(await ended).toEqual([0, null]);
    } finally {
      child.kill("SIGKILL");
      await server.stop();
    }
    expect(await database.prisma.login.count()).toBe(0);
  });

  it("ends with the script that started it, in order", async () => {
    const script = join(checkoutDir, "scripts/cli.mjs");
    const child = spawn(process.execPath, [script, "logs", "tail", "--url", "http://127.0.0.1:1"], {
      env: { PATH: process.env.PATH, ...environment },
      stdio: ["ignore", "inherit", "pipe"],
      detached: true,
    });
    const ended = once(child, "exit");
    const closed = once(child.stderr, "end");
    let said = "";
    child.stderr.on("data", (chunk) => {
      said += chunk;
    });
    try {
      await until(() => said.includes("does not respond"), { what: "it follows", deadlineMs: 30_000 });
      child.kill("SIGTERM");
      expect(await ended).toEqual([0, null]);
      // What it started has ended, too.
      await closed;
    } finally {
      // With everything that it started; nothing is left of its group when all went well.
      try {
        if (child.pid) process.kill(-child.pid, "SIGKILL");
      } catch {}
    }
    expect(await database.prisma.login.count()).toBe(0);
  });
});
