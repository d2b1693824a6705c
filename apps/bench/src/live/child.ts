import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { pinned } from "../gateway/processes.ts";

/** A process of the benchmark that executes commands one after another. */
export interface Child {
  child: ChildProcess;
  ask<Answer>(verb: string, argument?: unknown): Promise<Answer>;
  stop(): Promise<void>;
}

interface Reply {
  number: number;
  answer?: unknown;
  error?: string;
}

/** Starts a script off the measured core. It answers through `serve`. */
export async function startChild(script: string): Promise<Child> {
  const [command, args] = await pinned("rest", [script]);
  const child = spawn(command, args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let asked = 0;
  child.on("message", ({ number, answer, error }: Reply) => {
    const waiter = waiting.get(number);
    waiting.delete(number);
    if (error === undefined) waiter?.resolve(answer);
    else waiter?.reject(new Error(error));
  });
  child.on("exit", () => {
    for (const waiter of waiting.values()) waiter.reject(new Error(`${script} ended`));
  });
  return {
    child,
    ask<Answer>(verb: string, argument?: unknown) {
      const waiter = Promise.withResolvers<unknown>();
      waiting.set(++asked, waiter);
      child.send({ number: asked, verb, argument });
      return waiter.promise as Promise<Answer>;
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
    },
  };
}

/** The other side of `ask`: what each command does in this process. */
export function serve(verbs: Record<string, (argument: never) => unknown>): void {
  process.on("message", async ({ number, verb, argument }: { number: number; verb: string; argument: unknown }) => {
    try {
      process.send?.({ number, answer: await verbs[verb]?.(argument as never) });
    } catch (error) {
      process.send?.({ number, error: String(error) });
    }
  });
  process.on("disconnect", () => process.exit(0));
}

/** ms on the clock that all processes of a machine share. */
export function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
