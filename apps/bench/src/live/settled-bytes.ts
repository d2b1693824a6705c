import { setTimeout as sleep } from "node:timers/promises";
import { residentBytes, type Subject } from "../gateway/processes.ts";

/** Resident memory after a collection; the process must be collectable. */
export async function settledBytes({ child }: Subject): Promise<number> {
  for (let times = 0; times < 2; times++) {
    child.kill("SIGUSR2");
    await sleep(250);
  }
  return residentBytes(child.pid ?? 0);
}
