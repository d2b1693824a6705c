/** A TCP port of 127.0.0.1 that is free now. */
export { freePort } from "@sluice/db/process-facts";
