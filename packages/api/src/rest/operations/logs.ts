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
    summary: "Requests, newest first: in flight, not settled yet, and of the ledger",
    ...{ input: ListLogsInput, answer: logPage, verb: listLogs },
  }),
  operation({
    ...{ id: "exportLogs", at: "GET /logs/export", access: "key", tag },
    summary: "All settled requests that match, newest first, as CSV or JSON",
    ...{ input: ExportLogsInput, answer: { file: "logs" }, verb: exportLogs },
  }),
  operation({
    ...{ id: "getLog", at: "GET /logs/{id}", access: "key", tag },
    summary: "One request with its attempts, cost and corrections",
    ...{ input: GetLogInput, answer: logEntry, verb: getLog },
  }),
  operation({
    ...{ id: "listModels", at: "GET /models", access: "key", tag },
    summary: "Models that were asked for lately",
    ...{ input: null, answer: modelList, verb: listLogModels },
  }),
  operation({
    ...{ id: "listSessions", at: "GET /sessions", access: "key", tag },
    summary: "Active conversations, newest activity first",
    ...{ input: null, answer: sessionList, verb: listSessions },
  }),
  operation({
    ...{ id: "getSession", at: "GET /sessions/{id}", access: "key", tag },
    summary: "One active conversation",
    ...{ input: GetSessionInput, answer: sessionDetail, verb: getSession },
  }),
];
