import type { Log } from "@sluice/core/log";
import { destination, pino } from "pino";

/** Structured logs on stdout, one JSON object per line. Fields that could carry a secret are always removed. */
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
  // Asynchronous, so that no request waits for a write; the rest is flushed when the process ends. If stdout is not read, lines are lost
  // instead of memory growing.
  return pino(options, destination({ dest: 1, sync: false, maxLength: 16 * 1024 * 1024 }));
}
