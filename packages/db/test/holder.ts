import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A child process attached to a server; see hold.ts. */
export interface Holder {
  pid: number;
  port: number;
  url: string;
  /** Whether the server was already running when this process attached. */
  attached: boolean;
  /** SIGKILL, without detaching. */
  kill(): Promise<void>;
  /** Detaches and exits. */
  leave(): Promise<void>;
}

export async function holdService(kind: "postgres" | "redis", dataDir: string): Promise<Holder> {
  const script = fileURLToPath(new URL("./hold.ts", import.meta.url));
  const child = spawn(process.execPath, [script, kind, dataDir], { stdio: ["pipe", "pipe", "inherit"] });
  const exited = once(child, "exit");
  const first = once(createInterface({ input: child.stdout }), "line").then(([line]) => String(line));
  const line = await Promise.race([first, exited.then(() => null)]);
  if (line === null) throw new Error(`hold.ts ended with code ${child.exitCode}`);
  const said = JSON.parse(line) as Pick<Holder, "pid" | "port" | "url" | "attached">;
  return {
    ...said,
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
    async leave() {
      child.stdin.end();
      await exited;
    },
  };
}
