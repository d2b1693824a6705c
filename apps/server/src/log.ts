import type { Log } from "@sluice/core/log";
import { destination, pino } from "pino";

/** Structured logs on stdout, one JSON object a line. Fields that could carry a secret are removed whatever writes them. */
export function createLog(level: string): Log {
  const options = {
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
  };
  // Never written while a request waits; what is not yet out is written when the process ends. A reader that takes nothing costs lines, not memory.
  return pino(options, destination({ dest: 1, sync: false, maxLength: 16 * 1024 * 1024 }));
}
