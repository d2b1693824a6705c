import type { Log } from "@sluice/core/log";
import type { RequestDetail, RequestRow } from "@sluice/core/requests";
import type { Snapshot } from "@sluice/snapshot/config";

/**
 * One line per request, of facts and names alone: nothing of a body, no secret, a few hundred bytes whatever was sent. Of requests that
 * went well only the share `logs.sampleRate` is told, evenly (one in ten, not ten percent by luck); what did not go well always is.
 * Where an attempt went is told at level debug.
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
