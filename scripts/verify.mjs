// Lint and boundaries, types, dead code: takes seconds and needs no services. `npm run verify`, and the first part of `npm test`.
import { pathToFileURL } from "node:url";
import { node, prepare, run } from "./prepare.mjs";

const checks = [
  ["lint and boundaries", ["node_modules/@biomejs/biome/bin/biome", "check", "--error-on-warnings", "."]],
  ["types", ["node_modules/typescript/bin/tsc", "--noEmit", "-p", "tsconfig.json"]],
  ["types of the console", ["node_modules/typescript/bin/tsc", "--noEmit", "-p", "apps/console/tsconfig.json"]],
  ["dead code", ["node_modules/knip/bin/knip.js", "--no-progress"]],
];

/** Runs every check and prints the output of those that fail. */
export async function verify() {
  const results = await Promise.all(
    checks.map(async ([name, args]) => {
      const { code, output } = await run(node, args, { quiet: true });
      process.stdout.write(code === 0 ? `✓ ${name}\n` : `✗ ${name}\n${output}\n`);
      return code === 0;
    }),
  );
  return { passed: results.filter(Boolean).length, failed: results.filter((ok) => !ok).length, skipped: 0 };
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await prepare({ console: false });
  const { failed } = await verify();
  process.exit(failed ? 1 : 0);
}
