import { SluiceError, toSluiceError } from "@sluice/core/errors";
import type { Services } from "./context.ts";

/** Whether Postgres or Redis could not be reached, as opposed to a statement that was refused. */
export function isOutage(thrown: unknown): boolean {
  for (let error: unknown = thrown; typeof error === "object" && error !== null; error = "cause" in error ? error.cause : null) {
    const code = "code" in error ? String(error.code) : "";
    // SQLSTATE 08 connection, 53 resources, 57P0x shutdown; P1xxx is Prisma's own.
    if (/^(ECONN|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EPIPE|57P0|08|53|P1)/.test(code)) return true;
    if (
      error instanceof Error &&
      /connection terminated|connection timeout|timeout exceeded when trying to connect|not queryable/i.test(error.message)
    )
      return true;
  }
  return false;
}

/** As {@link isOutage}, and starts the watch that tells viewers when it is over. */
export function noticeOutage({ outages }: Pick<Services, "outages">, thrown: unknown): boolean {
  const isOne = isOutage(thrown);
  if (isOne) outages.noticed();
  return isOne;
}

/** The error that a caller may see: an outage becomes `unavailable`, anything else that is not a SluiceError `internal`. */
export function publicErrorOf(thrown: unknown): SluiceError {
  if (!(thrown instanceof SluiceError) && isOutage(thrown))
    return new SluiceError("unavailable", { detail: String(thrown), cause: thrown });
  return toSluiceError(thrown);
}
