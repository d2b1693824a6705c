import { freePort as findFreePort } from "@sluice/db/process-facts";

/** A TCP port of 127.0.0.1 that is currently free. */
export function freePort(): Promise<number> {
  return findFreePort();
}
