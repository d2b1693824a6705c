import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkoutDir } from "@sluice/testing/checkout";
import { clientKey } from "@sluice/testing/config-file";
import { until } from "@sluice/testing/deadline";
import { freePort } from "@sluice/testing/ports";
import { type ServerProcess, serverAdmin } from "@sluice/testing/server-process";
import { describe, expect, it } from "vitest";
import { openConsole, watch } from "./console-client.ts";
import { useServers } from "./servers.ts";

const servers = useServers();
const nginx = ["/usr/sbin/nginx", "/usr/local/bin/nginx", "/opt/homebrew/bin/nginx"].find((path) => existsSync(path));

/** The example in docs/ with its two addresses replaced, inside the usual main configuration of a package. */
async function startNginx(server: ServerProcess): Promise<string> {
  if (!nginx) throw new Error("nginx is not installed: sudo apt-get install -y --no-install-recommends nginx");
  const dir = await mkdtemp(join(tmpdir(), "sluice-nginx-"));
  const port = await freePort();
  const example = await readFile(join(checkoutDir, "docs/nginx.conf"), "utf8");
  const site = example.replace("127.0.0.1:4000", new URL(server.url).host).replace("listen 80;", `listen ${port};`);
  expect(site).toContain(`listen ${port};`);
  await writeFile(join(dir, "site.conf"), site);
  const folders = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${dir}/${name};`);
  await writeFile(
    join(dir, "nginx.conf"),
    `pid ${dir}/pid; error_log ${dir}/error.log; events {} http { access_log off; gzip on; ${folders.join(" ")} include ${dir}/site.conf; }`,
  );
  const child = spawn(nginx, ["-p", dir, "-c", join(dir, "nginx.conf"), "-g", "daemon off; master_process off;"], { stdio: "inherit" });
  servers.later(async () => {
    const ended = once(child, "exit");
    if (child.exitCode === null) child.kill("SIGTERM");
    if (child.exitCode === null) await ended;
    await rm(dir, { recursive: true, force: true });
  });
  const url = `http://127.0.0.1:${port}`;
  await until(async () => (await fetch(`${url}/health/ready`)).ok, { what: "nginx passes requests on" });
  return url;
}

const behindNginx = async (): Promise<string> => startNginx(await servers.startPlain({ SLUICE_TRUSTED_HOPS: "1" }));

interface Sent {
  status: number;
  headers: Record<string, unknown>;
  text: string;
}

/** POST from another address of this machine that claims to be a third one. */
function postFrom(localAddress: string, url: string, headers: Record<string, string>, body: unknown): Promise<Sent> {
  return new Promise((resolve, reject) => {
    const options = {
      method: "POST",
      localAddress,
      headers: { "content-type": "application/json", "x-forwarded-for": "203.0.113.9", ...headers },
    };
    request(url, options, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    })
      .on("error", reject)
      .end(JSON.stringify(body));
  });
}

const messages = (model: string, stream: boolean) => ({ model, max_tokens: 400, stream, messages: [{ role: "user", content: "Hello" }] });
const keyHeaders = { "x-api-key": clientKey, "anthropic-version": "2023-06-01" };

describe("behind the nginx of docs/nginx.conf", () => {
  it("an answer's first bytes and the console's events arrive while the answer goes on", async () => {
    const url = await behindNginx();
    const admin = await openConsole(url);
    const viewer = watch(admin);
    await until(() => viewer.frames.length > 0, { what: "the viewer is connected" });
    const response = await fetch(`${url}/v1/messages`, {
      method: "POST",
      headers: { "content-type": "application/json", ...keyHeaders },
      body: JSON.stringify(messages("claude-endless", true)),
      signal: AbortSignal.timeout(60_000),
    });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-encoding")).toBeNull();
    const reader = response.body?.getReader();
    const first = await reader?.read();
    expect(Buffer.from(first?.value ?? []).toString()).toContain("event:");
    // This answer never ends, so whatever arrives now was not buffered until its end.
    const inFlight = () => viewer.frames.flatMap(({ events }) => events.flatMap((event) => ("rev" in event ? [event.row] : [])))[0];
    const row = await until(inFlight, { what: "its begin is pushed through nginx" });
    expect(row.state).toBe("in_flight");
    await reader?.cancel();
    await until(() => viewer.finished.has(row.id), { what: "its end is pushed through nginx" });
    expect(viewer.connections).toBe(1);
    viewer.close();
  });

  it("the client's address is the one nginx saw, whatever the client claims", async () => {
    const url = await behindNginx();
    const answer = await postFrom("127.0.0.2", `${url}/v1/messages`, keyHeaders, messages("claude-quick", false));
    expect(answer.status).toBe(200);
    const admin = await openConsole(url);
    const id = String(answer.headers["x-request-id"]);
    const detail = await until(() => admin.api.logs.get.query({ id }), { what: "the request is in the log" });
    expect(JSON.stringify(detail)).toContain('"127.0.0.2"');
    expect(JSON.stringify(detail)).not.toContain("203.0.113.9");
  });

  it("signing in works, from the address nginx saw", async () => {
    const url = await behindNginx();
    const answer = await postFrom("127.0.0.3", `${url}/auth/login`, { origin: url }, serverAdmin);
    expect(answer.status).toBe(200);
    const { rows } = await servers.database.pool.query<{ ip: string }>("SELECT ip FROM logins ORDER BY created_at DESC LIMIT 1");
    expect(rows[0]?.ip).toBe("127.0.0.3");
    const refused = await postFrom("127.0.0.3", `${url}/auth/login`, { origin: "https://evil.example" }, serverAdmin);
    expect(refused.status).toBe(403);
    // Compressed by the build, and passed on unchanged.
    const page = await (await fetch(url, { headers: { accept: "text/html" } })).text();
    const styles = /href="(\/assets\/[^"]+\.css)"/.exec(page)?.[1] ?? "";
    const asset = await fetch(`${url}${styles}`, { headers: { "accept-encoding": "gzip" } });
    expect([asset.status, asset.headers.get("content-encoding"), asset.headers.get("cache-control")]).toEqual([
      200,
      "gzip",
      "public, max-age=31536000, immutable",
    ]);
  });

  it("a body too large is refused by the gateway, in the client's dialect", async () => {
    const url = await behindNginx();
    const refused = await postFrom("127.0.0.1", `${url}/v1/messages`, keyHeaders, {
      ...messages("claude-quick", false),
      system: "x".repeat(34_000_000),
    });
    expect([refused.status, JSON.parse(refused.text)]).toEqual([413, expect.objectContaining({ type: "error" })]);
  });
});
