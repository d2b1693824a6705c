import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const server = new URL("../src/start-server.ts", import.meta.url).href;

/** Lists what importing the server loads, before it knows its roles. */
const script = `
import { registerHooks } from "node:module";
const urls = [];
registerHooks({ load: (url, context, next) => (urls.push(url), next(url, context)) });
await import(${JSON.stringify(server)});
console.log(JSON.stringify(urls));
process.exit(0);
`;

describe("what a gateway loads", () => {
  it("includes nothing of the console, of jobs or of configuration files, which took half of its start-up time", async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], { maxBuffer: 16 * 1024 * 1024 });
    const urls = JSON.parse(stdout) as string[];
    expect(urls).toContain(server);
    expect(urls.filter((url) => /packages\/(api|worker)\/|node_modules\/(fastify|yaml|nodemailer|@node-rs)\//.test(url))).toEqual([]);
  });
});
