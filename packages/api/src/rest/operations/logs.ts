import { ListLogsInput } from "@sluice/core/inputs/log";
import { ExportLogsInput, exportLogs } from "@sluice/services/logs/export-logs";
import { GetLogInput, getLog } from "@sluice/services/logs/get-log";
import { listLogModels } from "@sluice/services/logs/list-log-models";
import { listLogs } from "@sluice/services/logs/list-logs";
import { GetSessionInput, getSession } from "@sluice/services/sessions/get-session";
import { listSessions } from "@sluice/services/sessions/list-sessions";
import { logEntry, logPage, modelList, sessionDetail, sessionList } from "../answers/logs.ts";
import { type Operation, operation } from "../operation.ts";

const tag = "Log";

export const logOperations: readonly Operation[] = [
  operation({
    ...{ id: "listLogs", at: "GET /logs", access: "key", tag },
    summary: "List requests, newest first: in flight, not yet settled and settled",
    ...{ input: ListLogsInput, answer: logPage, verb: listLogs },
  }),
  operation({
    ...{ id: "exportLogs", at: "GET /logs/export", access: "key", tag },
    summary: "Export all matching settled requests, newest first, as CSV or JSON",
    ...{ input: ExportLogsInput, answer: { file: "logs" }, verb: exportLogs },
  }),
  operation({
    ...{ id: "getLog", at: "GET /logs/{id}", access: "key", tag },
    summary: "Get a request with its attempts, cost and corrections",
    ...{ input: GetLogInput, answer: logEntry, verb: getLog },
  }),
  operation({
    ...{ id: "listModels", at: "GET /models", access: "key", tag },
    summary: "List recently requested models",
    ...{ input: null, answer: modelList, verb: listLogModels },
  }),
  operation({
    ...{ id: "listSessions", at: "GET /sessions", access: "key", tag },
    summary: "List active sessions, latest activity first",
    ...{ input: null, answer: sessionList, verb: listSessions },
  }),
  operation({
    ...{ id: "getSession", at: "GET /sessions/{id}", access: "key", tag },
    summary: "Get an active session",
    ...{ input: GetSessionInput, answer: sessionDetail, verb: getSession },
  }),
];
