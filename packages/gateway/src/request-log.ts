import type { Log } from "@sluice/core/log";
import type { RequestDetail, RequestRow } from "@sluice/core/requests";
import type { Snapshot } from "@sluice/snapshot/config";

/**
 * One line per request, with facts and names only: no part of a body, no secret, a few hundred bytes whatever was sent. Of the
 * successful requests only the share `logs.sampleRate` is logged, evenly spaced (every tenth, not ten percent by chance); the
 * others always are. The attempts are logged at level debug.
 */
export function createRequestLog(log: Log, snapshot: Pick<Snapshot, "current">): (row: RequestRow, detail: RequestDetail) => void {
  let due = 0;
  return (row, detail) => {
    const sampleRate = snapshot.current().settings["logs.sampleRate"];
    if (row.state === "done" && sampleRate < 1) {
      due += sampleRate;
      if (due < 1) return;
      due -= 1;
    }
    log.info(
      {
        requestId: row.id,
        keyId: row.keyId,
        path: detail.path,
        model: row.model.slice(0, 100),
        providerId: row.providerId,
        state: row.state,
        status: row.status,
        code: row.errorCode,
        attempts: row.attempts,
        ttftMs: row.ttftMs,
        durationMs: row.durationMs,
        ...(sampleRate < 1 && { sampleRate }),
      },
      "request",
    );
    log.debug({ requestId: row.id, attempts: detail.attempts, decision: detail.decision }, "where a request went");
  };
}
