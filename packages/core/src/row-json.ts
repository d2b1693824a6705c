import type { RequestRow } from "./requests.ts";

/**
 * A row as JSON, as `JSON.stringify` gives it. Every request is written several times, to the spool and for those who watch: field by field
 * takes a third of the time.
 */
export function rowJson(row: RequestRow): string {
  const { usage, flags, costNanoUsd, correctsId } = row;
  const ids = `"id":${text(row.id)},"tenantId":${text(row.tenantId)},"userId":${text(row.userId)},"keyId":${text(row.keyId)},"sessionId":${text(row.sessionId)},"providerId":${text(row.providerId)}`;
  const asked = `"group":${text(row.group)},"dialect":"${row.dialect}","endpoint":"${row.endpoint}","stream":${row.stream},"model":${text(row.model)},"upstreamModel":${text(row.upstreamModel)}`;
  const state = `"state":"${row.state}","status":${row.status},"errorCode":${text(row.errorCode)},"attempts":${row.attempts}`;
  const tokens = `"usage":{"input":${usage.input},"output":${usage.output},"cacheWrite5m":${usage.cacheWrite5m},"cacheWrite1h":${usage.cacheWrite1h},"cacheRead":${usage.cacheRead}}`;
  const cost = `"flags":${flags.length === 0 ? "[]" : JSON.stringify(flags)},"costNanoUsd":${costNanoUsd === null ? null : text(costNanoUsd)},"billable":${row.billable}`;
  const times = `"startedAtMs":${row.startedAtMs},"ttftMs":${row.ttftMs},"durationMs":${row.durationMs}`;
  return `{${ids},${asked},${state},${tokens},${cost},${times},"client":${text(row.client)},"correctsId":${correctsId === null ? null : text(correctsId)}}`;
}

/** As JSON: nearly all texts of a row are plain ASCII. */
function text(value: string): string {
  return plain.test(value) ? `"${value}"` : JSON.stringify(value);
}

const plain = /^[ !#-[\]-~]*$/;
