import { noUsage, type RequestRow, type Usage } from "@sluice/core/requests";
import { plainText, usageJson } from "@sluice/core/row-json";
import type { FinishRecord, ProgressRecord, SpooledPrice, StartRecord } from "./records.ts";

/**
 * What the spool has of a START, `[row, price, provider multiplier, group multiplier]`, and of an end, `[row, detail, upstream cost]`, as
 * JSON (format version 4). Rows and prices are their values in a fixed order: names took half of their bytes, and bytes are most of what a
 * record costs. Of a row that is as nearly all are at their START, only the first part is written.
 */
const askedFields = [
  ...(["id", "tenantId", "userId", "keyId", "sessionId", "group", "model", "client"] as const),
  ...(["dialect", "endpoint", "stream", "startedAtMs", "correctsId"] as const),
];
const outcomeFields = [
  ...(["upstreamModel", "errorCode", "state", "status", "attempts", "flags", "costNanoUsd", "billable"] as const),
  ...(["ttftMs", "durationMs"] as const),
];
const fields = [...askedFields, "providerId" as const, ...outcomeFields] satisfies (keyof RequestRow)[];
const counts = ["input", "output", "cacheWrite5m", "cacheWrite1h", "cacheRead"] as const satisfies (keyof Usage)[];
const priceFields = [
  ...(["priceId", "inputPerMTok", "outputPerMTok"] as const),
  ...(["cacheWrite5mPerMTok", "cacheWrite1hPerMTok", "cacheReadPerMTok"] as const),
] satisfies (keyof SpooledPrice)[];

/** The rest of a row whose first part alone was written. */
const begun = {
  ...{ upstreamModel: "", errorCode: "", state: "in_flight", status: 0, attempts: 0 },
  ...{ usage: noUsage, flags: [], costNanoUsd: null, billable: true, ttftMs: null, durationMs: null },
} as const;

/** A START. `asked`: what {@link askedText} gives for its row. */
export function startText({ row, price, providerMultiplier, groupMultiplier }: StartRecord, asked?: string): string {
  const multipliers = `${JSON.stringify(providerMultiplier)},${JSON.stringify(groupMultiplier)}`;
  return `[${rowText(row, asked)},${price === null ? "null" : priceText(price)},${multipliers}]`;
}

/** An end in three parts, of which the second is the JSON of its detail. */
export function endTexts({ row, upstreamCostNanoUsd }: FinishRecord, detailText: string, asked?: string): [string, string, string] {
  return [`[${rowText(row, asked)},`, detailText, `,"${upstreamCostNanoUsd}"]`];
}

/** The JSON of a PROGRESS; every stream has at least one. */
export function progressText(record: ProgressRecord): string {
  const { upstreamModel, providerMultiplier, usage } = record;
  if (!plainText.test(`${upstreamModel}${providerMultiplier}`)) return JSON.stringify(record);
  const provider = `"providerId":"${record.providerId}","upstreamModel":"${upstreamModel}","providerMultiplier":"${providerMultiplier}"`;
  return `{"id":"${record.id}",${provider},"ttftMs":${record.ttftMs},"usage":${usageJson(usage)},"estimated":${record.estimated}}`;
}

/** The START that was written so. */
export function readStart([row, price, providerMultiplier, groupMultiplier]: readonly unknown[]): StartRecord {
  const start = { row: readRow(row), price: Array.isArray(price) ? named(priceFields, price) : null, providerMultiplier, groupMultiplier };
  return start as StartRecord;
}

/** The end that was written so. */
export function readFinish([row, detail, upstreamCostNanoUsd]: readonly unknown[]): FinishRecord {
  return { row: readRow(row), detail, upstreamCostNanoUsd } as FinishRecord;
}

/** The JSON of a row. Ids, amounts and our own words need no escaping; names chosen by others are checked. */
function rowText(row: RequestRow, asked = askedText(row)): string {
  return isBegun(row) ? `[${asked},"${row.providerId}"]` : `[${asked},"${row.providerId}",${outcomeText(row)}]`;
}

/** The values of a row that never change from its START on. `JSON.stringify` takes four times as long. */
export function askedText(row: RequestRow): string {
  const { sessionId, group, model, client } = row;
  const names = plainText.test(`${sessionId}${group}${model}${client}`)
    ? `"${sessionId}","${group}","${model}","${client}"`
    : JSON.stringify([sessionId, group, model, client]).slice(1, -1);
  const ids = `"${row.id}","${row.tenantId}","${row.userId}","${row.keyId}"`;
  return `${ids},${names},"${row.dialect}","${row.endpoint}",${row.stream},${row.startedAtMs},${quoted(row.correctsId)}`;
}

/** Whether two states of a request were asked alike, so that one's {@link askedText} is the other's. */
export function areAskedAlike(a: RequestRow, b: RequestRow): boolean {
  const areIdsSame = a.id === b.id && a.tenantId === b.tenantId && a.userId === b.userId && a.keyId === b.keyId;
  const areNamesSame = a.sessionId === b.sessionId && a.group === b.group && a.model === b.model && a.client === b.client;
  const isRouteSame = a.dialect === b.dialect && a.endpoint === b.endpoint && a.stream === b.stream;
  return areIdsSame && areNamesSame && isRouteSame && a.startedAtMs === b.startedAtMs && a.correctsId === b.correctsId;
}

function isBegun(row: RequestRow): boolean {
  const isUnanswered = row.upstreamModel === "" && row.status === 0 && row.errorCode === "" && row.attempts === 0;
  const isOpen = row.state === "in_flight" && row.ttftMs === null && row.durationMs === null;
  return isOpen && isUnanswered && row.usage === noUsage && row.flags.length === 0 && row.costNanoUsd === null && row.billable;
}

function outcomeText(row: RequestRow): string {
  const { upstreamModel, errorCode, flags } = row;
  const { input, output, cacheWrite5m, cacheWrite1h, cacheRead } = row.usage;
  const names = plainText.test(`${upstreamModel}${errorCode}`)
    ? `"${upstreamModel}","${errorCode}"`
    : JSON.stringify([upstreamModel, errorCode]).slice(1, -1);
  const cost = `${flags.length === 0 ? "[]" : JSON.stringify(flags)},${quoted(row.costNanoUsd)},${row.billable}`;
  const usage = `${input},${output},${cacheWrite5m},${cacheWrite1h},${cacheRead}`;
  return `${names},"${row.state}",${row.status},${row.attempts},${cost},${row.ttftMs},${row.durationMs},${usage}`;
}

/** Values from disk: what they really are is checked before they become a row (settled-record). */
function readRow(values: unknown): RequestRow {
  if (!Array.isArray(values)) return values as RequestRow;
  const usage = values.length > fields.length ? named(counts, values.slice(fields.length)) : noUsage;
  return { ...begun, ...named(fields.slice(0, values.length), values), usage } as unknown as RequestRow;
}

function named(names: readonly string[], values: readonly unknown[]): object {
  return Object.fromEntries(names.map((name, index) => [name, values[index]]));
}

const priceTexts = new WeakMap<SpooledPrice, string>();

/** Thousands of requests begin with the same price object. */
function priceText(price: SpooledPrice): string {
  let made = priceTexts.get(price);
  if (made === undefined) {
    made = JSON.stringify(priceFields.map((name) => price[name]));
    priceTexts.set(price, made);
  }
  return made;
}

function quoted(value: string | null): string {
  return value === null ? "null" : `"${value}"`;
}
