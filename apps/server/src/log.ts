import type { Log } from "@sluice/core/log";
import { pino } from "pino";

/** Structured logs on stdout, one JSON object a line. Fields that could carry a secret are removed whatever writes them. */
export function createLog(level: string): Log {
  return pino({
    level,
    base: undefined,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: [
        "secret",
        "password",
        "token",
        "key",
        "authorization",
        "cookie",
        "*.secret",
        "*.password",
        "*.token",
        "*.authorization",
        "*.cookie",
      ],
      censor: "[redacted]",
    },
  });
}
