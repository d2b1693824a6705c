import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { testServicesDir } from "@sluice/testing/checkout";
import { afterAll, describe, expect, it } from "vitest";
import config from "../vitest.config.ts";

/** What `npm test` refuses to pass is written in files; these tests fail when such a line is removed or has no effect. */
const root = fileURLToPath(new URL("..", import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), "utf8");

/** Runs one of the checkout's tools with our Node, as `npm run verify` does. */
function run(args: string[], { input = "", cwd = root } = {}): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve) => {
    // Without what vitest tells its own workers.
    const child = spawn(process.execPath, args, { cwd, env: { PATH: process.env.PATH, HOME: process.env.HOME, NO_COLOR: "1" } });
    let output = "";
    child.stdout.on("data", (chunk) => {
      output += chunk;
    });
    child.stderr.on("data", (chunk) => {
      output += chunk;
    });
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
    child.once("close", (code) => resolve({ code, output }));
  });
}

const biome = join(root, "node_modules/@biomejs/biome/bin/biome");

/** A folder with our configuration and these files; removed with the others. */
function projectWith(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), "sluice-gates-"));
  folders.push(folder);
  for (const [path, text] of Object.entries({ "biome.json": read("biome.json"), ".gitignore": "node_modules/\n", ...files })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

interface BiomeRules {
  [group: string]: Record<string, unknown> | undefined;
}
interface BiomeConfig {
  linter: { rules: BiomeRules };
  overrides?: { includes: string[]; linter?: { enabled?: boolean; rules?: BiomeRules } }[];
}

describe("R32 no any", () => {
  it("is an error for biome, in no folder less, and `npm run verify` runs it over everything with warnings as errors", () => {
    const { linter, overrides = [] } = JSON.parse(read("biome.json")) as BiomeConfig;
    expect(linter.rules.suspicious?.noExplicitAny).toBe("error");
    for (const { linter: changed } of overrides) expect(changed?.rules?.suspicious ?? {}).not.toHaveProperty("noExplicitAny");
    expect(read("scripts/verify.mjs")).toMatch(/biome", "check", "--error-on-warnings", "\."/);
  });

  it("is reported wherever it stands", async () => {
    const paths = ["packages/core/src", "apps/server/src", "apps/server/test", "apps/console/src", "e2e", "scripts"].map(
      (at) => `${at}/probe.ts`,
    );
    const files = (type: string) =>
      Object.fromEntries(paths.map((path) => [path, `export const parse = (text: string): ${type} => JSON.parse(text);\n`]));
    const [bad, good] = await Promise.all(["any", "unknown"].map((type) => run([biome, "lint", "."], { cwd: projectWith(files(type)) })));
    for (const path of paths) expect(bad?.output).toMatch(new RegExp(`${path}:1:\\d+ lint/suspicious/noExplicitAny`));
    expect(bad?.code).toBe(1);
    expect(good).toMatchObject({ code: 0, output: expect.not.stringContaining("noExplicitAny") });
  });

  it("is found nowhere, and nowhere allowed by a comment", async () => {
    expect(await run([biome, "lint", "--only=suspicious/noExplicitAny", "--max-diagnostics=5", "."])).toMatchObject({ code: 0 });
    // In two parts, so that this file is not a hit.
    const pattern = ["biome-ignore[^:]*noExplicit", "Any|@ts-no", "check|@ts-ig", "nore"].join("");
    const { output } = await new Promise<{ output: string }>((resolve) => {
      const grep = spawn("git", ["grep", "-nE", pattern, "--", "*.ts", "*.tsx", "*.mjs"], { cwd: root });
      let found = "";
      grep.stdout.on("data", (chunk) => {
        found += chunk;
      });
      grep.once("close", () => resolve({ output: found }));
    });
    expect(output).toBe("");
  });

  it("types are strict, and an implicit any is an error too", () => {
    for (const path of ["tsconfig.json", "apps/console/tsconfig.json"]) {
      const options = effectiveOptions(path);
      expect(options, path).toMatchObject({ strict: true, noUncheckedIndexedAccess: true });
      expect(options.noImplicitAny ?? true, path).toBe(true);
    }
    expect(read("scripts/verify.mjs")).toMatch(/tsc", "--noEmit", "-p", "tsconfig\.json"/);
  });
});

function effectiveOptions(path: string): Record<string, unknown> {
  const { extends: base, compilerOptions } = JSON.parse(read(path)) as { extends?: string; compilerOptions?: Record<string, unknown> };
  return { ...(base ? effectiveOptions(join(path, "..", base)) : {}), ...compilerOptions };
}

describe("P34 how many tests there are", () => {
  it("is what the runners report: their files are read, and the last line of `npm test` adds them up", async () => {
    expect(read("scripts/test.mjs")).toMatch(/--outputFile\.json=test-results\/vitest\.json[\s\S]+sumCounts\(results\)[\s\S]+\$\{line\}/);
    const unit = JSON.stringify({ numPassedTests: 7, numFailedTests: 0, numPendingTests: 1, numTodoTests: 1 });
    const browser = JSON.stringify({ stats: { expected: 3, flaky: 1, unexpected: 2, skipped: 0 } });
    const code = `import { browserCounts as b, sumCounts as s, unitCounts as u } from "./scripts/test-counts.mjs";
      for (const parts of [[u(${unit}, 0), b(${browser}, 1)], [u(${unit}, 1)], [u(null, 0)], [b(null, 0)]]) console.log(s(parts).line);`;
    const { output } = await run(["--input-type=module", "--eval", code]);
    // Coverage under its threshold, and a report that is not there, are failures.
    expect(output.trim().split("\n")).toEqual([
      ...["11 passed, 2 failed, 2 skipped", "7 passed, 1 failed, 2 skipped"],
      ...["0 passed, 1 failed, 0 skipped", "0 passed, 1 failed, 0 skipped"],
    ]);
  });

  it("names what failed, and what passed at the second try only, once more at the end", async () => {
    const unit = {
      testResults: [
        {
          ...{ name: "a.test.ts", status: "failed", message: "" },
          assertionResults: [
            { fullName: "adds", status: "failed", failureMessages: ["\u001b[31mexpected 1 to be 2\u001b[39m\n  at a.test.ts:3"] },
            { fullName: "waits", status: "passed", failureMessages: ["too early"] },
            { fullName: "holds", status: "passed", failureMessages: [] },
          ],
        },
        { name: "b.test.ts", status: "failed", message: "no such module", assertionResults: [] },
      ],
    };
    const test = (status: string, message: string) => ({ status, projectName: "split", results: [{ error: { message } }, {}] });
    const specs = [
      { file: "keys.spec.ts", title: "is made", tests: [test("flaky", "not seen")] },
      { file: "keys.spec.ts", title: "is kept", tests: [test("expected", "")] },
    ];
    const code = `import { browserTroubles as b, unitTroubles as u } from "./scripts/test-counts.mjs";
      console.log([...u(${JSON.stringify(unit)}), ...b(${JSON.stringify({ suites: [{ suites: [{ specs }] }] })}), ...u(null), ...b(null)].join("\\n"));`;
    const { output } = await run(["--input-type=module", "--eval", code]);
    expect(output.trim().split("\n")).toEqual([
      "failed: a.test.ts › adds: expected 1 to be 2",
      "passed at the second try only: a.test.ts › waits: too early",
      "failed: b.test.ts › : no such module",
      "passed at the second try only: e2e/keys.spec.ts › [split] is made: not seen",
    ]);
    expect(read("scripts/test.mjs")).toMatch(/unitTroubles\(report\)[\s\S]+browserTroubles\(report\)[\s\S]+troubles\.join/);
  });

  it("is written nowhere by hand", () => {
    for (const path of ["README.md", "README.zh-CN.md", "ARCHITECTURE.md", "CONTRIBUTING.md"])
      expect(read(path), path).not.toMatch(/\b\d[\d,]* (unit |database |browser )?tests\b|\d 个(单元)?测试/);
  });
});

describe("R34 line coverage", () => {
  const { coverage } = config.test ?? {};

  it("of at least 80 % over what ships is demanded, and `npm test` measures it", () => {
    expect(coverage).toMatchObject({ provider: "v8", thresholds: { lines: expect.any(Number) } });
    expect(linesDemanded()).toBeGreaterThanOrEqual(80);
    expect(coverage?.include).toEqual(expect.arrayContaining(["packages/*/src/**/*.ts", "apps/server/src/**/*.ts"]));
    expect(coverage?.exclude).toEqual(["**/generated/**", "**/*.test.ts", "packages/testing/**"]);
    const script = read("scripts/test.mjs");
    expect(script).toContain('"--coverage"');
  });

  function linesDemanded(): number {
    const { lines } = (coverage as { thresholds?: { lines?: number } } | undefined)?.thresholds ?? {};
    return lines ?? 0;
  }

  it.each([
    { covered: 1, code: 1 },
    { covered: 9, code: 0 },
  ])("a run that covers $covered of 10 functions ends with $code", async ({ covered, code }) => {
    const folder = project(covered);
    const ended = await run([join(root, "node_modules/vitest/vitest.mjs"), "run", "--coverage", "--root", folder], { cwd: folder });
    expect(ended.output).toContain("1 passed");
    if (code === 1) expect(ended.output).toMatch(/Coverage for lines \([\d.]+%\) does not meet global threshold \(80%\)/);
    expect(ended.code).toBe(code);
  });

  /** A project with our thresholds: ten functions, of which its test calls so many. */
  function project(covered: number): string {
    mkdirSync(testServicesDir, { recursive: true });
    const folder = mkdtempSync(join(testServicesDir, "coverage-"));
    folders.push(folder);
    const numbers = Array.from({ length: 10 }, (_, i) => i);
    writeFileSync(
      join(folder, "code.ts"),
      numbers.map((i) => `export function f${i}(): number {\n  const n = ${i};\n  return n;\n}\n`).join(""),
    );
    const calls = numbers.slice(0, covered).map((i) => `code.f${i}();`);
    writeFileSync(
      join(folder, "code.test.ts"),
      `import { test } from "vitest";\nimport * as code from "./code.ts";\ntest("calls", () => {\n${calls.join("\n")}\n});\n`,
    );
    const { provider, thresholds } = coverage as { provider: string; thresholds: unknown };
    const options = { test: { coverage: { provider, thresholds, include: ["code.ts"], reporter: ["text-summary"] } } };
    writeFileSync(join(folder, "vitest.config.ts"), `export default ${JSON.stringify(options)};\n`);
    return folder;
  }
});
