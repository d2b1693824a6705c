import type { RequestRow, Usage } from "./requests.ts";

/** Printable ASCII without the characters that JSON must escape. */
export const plainText = /^[ !#-[\]-~]*$/;

/**
 * The same JSON as `JSON.stringify` gives, for live views in other processes: every request is written several times, and field by field
 * takes three quarters of the time. Ids, amounts and our own words need no escaping; names chosen by others are checked in one test.
 */
export function rowJson(row: RequestRow): string {
  const { flags, costNanoUsd, correctsId } = row;
  if (!plainText.test(`${row.sessionId}${row.group}${row.model}${row.upstreamModel}${row.errorCode}${row.client}`))
    return JSON.stringify(row);
  const ids = `"id":"${row.id}","tenantId":"${row.tenantId}","userId":"${row.userId}","keyId":"${row.keyId}","sessionId":"${row.sessionId}","providerId":"${row.providerId}"`;
  const asked = `"group":"${row.group}","dialect":"${row.dialect}","endpoint":"${row.endpoint}","stream":${row.stream},"model":"${row.model}","upstreamModel":"${row.upstreamModel}"`;
  const state = `"state":"${row.state}","status":${row.status},"errorCode":"${row.errorCode}","attempts":${row.attempts}`;
  const cost = `"flags":${flags.length === 0 ? "[]" : JSON.stringify(flags)},"costNanoUsd":${quoted(costNanoUsd)},"billable":${row.billable}`;
  const times = `"startedAtMs":${row.startedAtMs},"ttftMs":${row.ttftMs},"durationMs":${row.durationMs}`;
  return `{${ids},${asked},${state},"usage":${usageJson(row.usage)},${cost},${times},"client":"${row.client}","correctsId":${quoted(correctsId)}}`;
}

export function usageJson({ input, output, cacheWrite5m, cacheWrite1h, cacheRead }: Usage): string {
  return `{"input":${input},"output":${output},"cacheWrite5m":${cacheWrite5m},"cacheWrite1h":${cacheWrite1h},"cacheRead":${cacheRead}}`;
}

function quoted(value: string | null): string {
  return value === null ? "null" : `"${value}"`;
}
