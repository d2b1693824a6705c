import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { EnvError, readEnv, readVersion } from "./env.ts";
import { localUrl } from "./server-url.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-env-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function problemsOf(source: Record<string, string>): readonly string[] {
  try {
    readEnv(source);
  } catch (error) {
    if (error instanceof EnvError) return error.problems;
    throw error;
  }
  return [];
}

describe("the environment", () => {
  test("has a default for everything", () => {
    const env = readEnv({});
    expect(env).toMatchObject({
      host: "127.0.0.1",
      port: 4000,
      databaseUrl: null,
      redisUrl: null,
      allowPrivateUpstreams: [],
      trustedHops: 0,
    });
    expect([...env.roles].sort()).toEqual(["api", "gateway", "worker"]);
  });

  test("reports every problem at once, by name and without the value", () => {
    const problems = problemsOf({
      PORT: "http",
      SLUICE_SECRET: "short-pw",
      DATABASE_URL: "mysql://u:p4ss@h/d",
      SLUICE_ROLES: "gateway,cook",
      SLUICE_TYPO: "x",
    });
    expect(problems).toHaveLength(5);
    for (const name of ["PORT", "SLUICE_SECRET", "DATABASE_URL", "SLUICE_ROLES", "SLUICE_TYPO"])
      expect(problems.join("\n")).toContain(name);
    for (const value of ["short-pw", "p4ss", "cook"]) expect(problems.join("\n")).not.toContain(value);
  });

  test("P35: an unusable Redis URL is reported by its variable, without the value", () => {
    for (const url of ["http://u:p4ss@h", "redis//p4ss", "p4ss:6379"]) {
      const problems = problemsOf({ REDIS_URL: url });
      expect(problems).toEqual([expect.stringContaining("REDIS_URL")]);
      expect(problems.join()).not.toContain("p4ss");
    }
    expect(readEnv({ REDIS_URL: "rediss://user:p4ss@redis.example:6380/3" }).redisUrl).toBe("rediss://user:p4ss@redis.example:6380/3");
  });

  test("takes secrets from files, and refuses both forms together", () => {
    const path = join(folder, "secret");
    writeFileSync(path, "a-secret-of-some-length\n");
    expect(readEnv({ SLUICE_SECRET_FILE: path }).secret).toBe("a-secret-of-some-length");
    expect(problemsOf({ SLUICE_SECRET_FILE: path, SLUICE_SECRET: "a-secret-of-some-length" })[0]).toContain("both set");
    expect(problemsOf({ SLUICE_SECRET_FILE: join(folder, "nothing") })[0]).toContain("does not exist");
  });

  test("a file that is a folder or empty is one problem among the others", () => {
    const path = join(folder, "empty");
    writeFileSync(path, "\r\n");
    expect(problemsOf({ SLUICE_SECRET_FILE: folder, DATABASE_URL_FILE: path, PORT: "http" })).toEqual([
      "DATABASE_URL_FILE names a file that is empty",
      "SLUICE_SECRET_FILE names a file that cannot be read",
      "PORT: must be a whole number from 0 to 65535",
    ]);
  });

  test("a blank number is none, and is not taken for 0", () => {
    expect(problemsOf({ PORT: " ", CONSOLE_PORT: " ", SLUICE_DRAIN_SECONDS: " ", SLUICE_TRUSTED_HOPS: "\t" })).toHaveLength(4);
    expect(readEnv({ PORT: "4100 " }).port).toBe(4100);
  });

  test("a console's port that is the clients' is told with all else", () => {
    expect(problemsOf({ CONSOLE_PORT: "4000", SLUICE_TYPO: "x" }).join("\n")).toContain("CONSOLE_PORT and PORT are the same");
    expect(problemsOf({ PORT: "4100", CONSOLE_PORT: "4100" })).toHaveLength(1);
    // Any free port, twice.
    expect(problemsOf({ PORT: "0", CONSOLE_PORT: "0" })).toEqual([]);
  });

  test("a password in a URL that must be encoded is told by its variable, without the value", () => {
    for (const password of ["p%4s", "p#4s", "p/4s", "p%zz"]) {
      const url = `user:${password}@db.example`;
      const problems = problemsOf({ DATABASE_URL: `postgres://${url}:5432/d`, REDIS_URL: `redis://${url}:6379` });
      expect(problems, password).toEqual([expect.stringMatching(/^DATABASE_URL: .*%25/), expect.stringMatching(/^REDIS_URL: .*%25/)]);
      expect(problems.join()).not.toContain(password);
    }
    expect(readEnv({ DATABASE_URL: "postgres://u:p%25%234@h/d" }).databaseUrl).toBe("postgres://u:p%25%234@h/d");
  });

  test("a host is an address or a name, and what this machine calls it by is a URL", () => {
    expect(problemsOf({ HOST: "[::1]" })).toEqual(["HOST: must be an address or a host name, without brackets"]);
    expect(problemsOf({ HOST: " " })).toHaveLength(1);
    const urls = ["0.0.0.0", "::", "::1", "fe80::1%eth0", "gateway.local"].map((host) => localUrl(readEnv({ HOST: host }).host, 4000));
    expect(urls).toEqual([
      ...["http://127.0.0.1:4000", "http://127.0.0.1:4000", "http://[::1]:4000"],
      ...["http://[fe80::1]:4000", "http://gateway.local:4000"],
    ]);
  });

  test("wants the first admin's e-mail and password together", () => {
    expect(problemsOf({ SLUICE_ADMIN_EMAIL: "a@example.com" })).toHaveLength(1);
    expect(readEnv({ SLUICE_ADMIN_EMAIL: "a@example.com", SLUICE_ADMIN_PASSWORD: "long-enough-1" }).admin?.email).toBe("a@example.com");
  });
});

describe("A04 the version", () => {
  test("comes from the environment, else VERSION, else package.json, and is read once", () => {
    writeFileSync(join(folder, "package.json"), JSON.stringify({ version: "1.0.0" }));
    expect(readVersion({ version: null }, folder)).toBe("1.0.0");
    writeFileSync(join(folder, "VERSION"), "2.0.0\n");
    expect(readVersion({ version: null }, folder)).toBe("2.0.0");
    expect(readVersion({ version: "3.0.0" }, folder)).toBe("3.0.0");
  });
});
