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
  const stdout = destination({ dest: 1, sync: false, maxLength: 16 * 1024 * 1024 });
  // A log file on a full disk must not end the server. The next line tries again; the flush at the end of the process would try forever.
  const { flushSync } = stdout;
  stdout.on("error", () => {
    stdout.flushSync = () => undefined;
  });
  stdout.on("write", () => {
    stdout.flushSync = flushSync;
  });
  // What people are told often goes to the same file.
  process.stderr.on("error", () => undefined);
  return pino(options, stdout);
}
