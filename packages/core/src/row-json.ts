import { noUsage, type RequestRow, type Usage } from "./requests.ts";

/** Printable ASCII without the characters that JSON must escape. */
export const plainText = /^[ !#-[\]-~]*$/;

/**
 * The JSON of a row. Every request is written several times, to the spool and for live views, and `JSON.stringify` takes four times as
 * long. Ids, amounts and our own words need no escaping; names chosen by others are checked. `asked` is what {@link askedJson} gives.
 */
export function rowJson(row: RequestRow, asked = askedJson(row)): string {
  return `{${asked},"providerId":"${row.providerId}",${isBegun(row) ? begunJson : outcomeJson(row)}}`;
}

/** The members of a row that never change from its START on. */
export function askedJson(row: RequestRow): string {
  const { sessionId, group, model, client } = row;
  const isPlain = plainText.test(`${sessionId}${group}${model}${client}`);
  const ids = `"id":"${row.id}","tenantId":"${row.tenantId}","userId":"${row.userId}","keyId":"${row.keyId}"`;
  const route = `"dialect":"${row.dialect}","endpoint":"${row.endpoint}","stream":${row.stream},"startedAtMs":${row.startedAtMs}`;
  const names = isPlain
    ? `"sessionId":"${sessionId}","group":"${group}","model":"${model}","client":"${client}"`
    : JSON.stringify({ sessionId, group, model, client }).slice(1, -1);
  return `${ids},${names},${route},"correctsId":${quoted(row.correctsId)}`;
}

/** Whether two states of a request were asked alike, so that one's {@link askedJson} is the other's. */
export function areAskedAlike(a: RequestRow, b: RequestRow): boolean {
  const isSame = a.id === b.id && a.tenantId === b.tenantId && a.userId === b.userId && a.keyId === b.keyId;
  const isSameRoute = a.dialect === b.dialect && a.endpoint === b.endpoint && a.stream === b.stream && a.startedAtMs === b.startedAtMs;
  const hasSameNames = a.sessionId === b.sessionId && a.group === b.group && a.model === b.model && a.client === b.client;
  return isSame && isSameRoute && hasSameNames && a.correctsId === b.correctsId;
}

/** What most rows are at their START. */
const begun = {
  ...{ upstreamModel: "", errorCode: "", state: "in_flight", status: 0, attempts: 0 },
  ...{ usage: noUsage, flags: [], costNanoUsd: null, billable: true, ttftMs: null, durationMs: null },
} as const;
const begunJson = JSON.stringify(begun).slice(1, -1);

function isBegun(row: RequestRow): boolean {
  const isUnanswered = row.upstreamModel === "" && row.status === 0 && row.errorCode === "" && row.attempts === 0;
  const isOpen = row.state === "in_flight" && row.ttftMs === null && row.durationMs === null;
  return isOpen && isUnanswered && row.usage === noUsage && row.flags.length === 0 && row.costNanoUsd === null && row.billable;
}

function outcomeJson(row: RequestRow): string {
  const { upstreamModel, errorCode, flags } = row;
  const names = plainText.test(`${upstreamModel}${errorCode}`)
    ? `"upstreamModel":"${upstreamModel}","errorCode":"${errorCode}"`
    : JSON.stringify({ upstreamModel, errorCode }).slice(1, -1);
  const state = `"state":"${row.state}","status":${row.status},"attempts":${row.attempts}`;
  const cost = `"flags":${flags.length === 0 ? "[]" : JSON.stringify(flags)},"costNanoUsd":${quoted(row.costNanoUsd)},"billable":${row.billable}`;
  const times = `"ttftMs":${row.ttftMs},"durationMs":${row.durationMs}`;
  return `${names},${state},"usage":${usageJson(row.usage)},${cost},${times}`;
}

export function usageJson({ input, output, cacheWrite5m, cacheWrite1h, cacheRead }: Usage): string {
  return `{"input":${input},"output":${output},"cacheWrite5m":${cacheWrite5m},"cacheWrite1h":${cacheWrite1h},"cacheRead":${cacheRead}}`;
}

function quoted(value: string | null): string {
  return value === null ? "null" : `"${value}"`;
}
