import { type BinaryRow, binaryCopy } from "./binary-copy.ts";
import { detailJsonOf, type SettledRecord } from "./settled-record.ts";

/** The columns of `requests` except settled_seq, each with the way its value is sent. */
const columns: Record<string, (to: BinaryRow, record: SettledRecord) => void> = {
  id: (to, { row }) => to.uuid(row.id),
  tenant_id: (to, { row }) => to.text(row.tenantId),
  user_id: (to, { row }) => to.text(row.userId),
  key_id: (to, { row }) => to.text(row.keyId),
  session_id: (to, { row }) => to.text(row.sessionId),
  provider_id: (to, { row }) => to.text(row.providerId),
  group: (to, { row }) => to.text(row.group),
  dialect: (to, { row }) => to.text(row.dialect),
  endpoint: (to, { row }) => to.text(row.endpoint),
  stream: (to, { row }) => to.boolean(row.stream),
  model: (to, { row }) => to.text(row.model),
  upstream_model: (to, { row }) => to.text(row.upstreamModel),
  state: (to, { row }) => to.text(row.state),
  status: (to, { row }) => to.smallint(row.status),
  error_code: (to, { row }) => to.text(row.errorCode),
  attempts: (to, { row }) => to.smallint(row.attempts),
  input_tokens: (to, { row }) => to.bigint(row.usage.input),
  output_tokens: (to, { row }) => to.bigint(row.usage.output),
  cache_write_5m_tokens: (to, { row }) => to.bigint(row.usage.cacheWrite5m),
  cache_write_1h_tokens: (to, { row }) => to.bigint(row.usage.cacheWrite1h),
  cache_read_tokens: (to, { row }) => to.bigint(row.usage.cacheRead),
  flags: (to, { row }) => to.texts(row.flags),
  cost_nano_usd: (to, { row }) => to.bigint(row.costNanoUsd),
  upstream_cost_nano_usd: (to, record) => to.bigint(record.upstreamCostNanoUsd),
  price_id: (to, { detail }) => to.uuid(detail.priceId),
  provider_multiplier: (to, { detail }) => to.decimal(textOf(detail.cost?.providerMultiplier)),
  group_multiplier: (to, { detail }) => to.decimal(textOf(detail.cost?.groupMultiplier)),
  billable: (to, { row }) => to.boolean(row.billable),
  started_at: (to, { row }) => to.timestamp(Math.trunc(row.startedAtMs)),
  ttft_ms: (to, { row }) => to.integer(row.ttftMs === null ? null : Math.round(row.ttftMs)),
  duration_ms: (to, { row }) => to.integer(Math.round(row.durationMs ?? 0)),
  client: (to, { row }) => to.text(row.client),
  corrects_id: (to, { row }) => to.uuid(row.correctsId),
};

/** Records come from disk, where a multiplier may be a number. */
function textOf(multiplier: string | null | undefined): string | null {
  return multiplier === null || multiplier === undefined ? null : String(multiplier);
}

const names = Object.keys(columns);
const writers = Object.values(columns);

export const copyRowsSql = `COPY requests (settled_seq, ${names.map((name) => `"${name}"`).join(", ")}) FROM STDIN (FORMAT binary)`;
export const copyDetailsSql = "COPY request_details (id, detail) FROM STDIN (FORMAT binary)";

/** Rows with consecutive settled_seq from `firstSeq` on. */
export function copiedRows(records: readonly SettledRecord[], firstSeq: number): Generator<Buffer> {
  return binaryCopy(records, 1 + writers.length, (to, record, index) => {
    to.bigint(firstSeq + index);
    for (const write of writers) write(to, record);
  });
}

export function copiedDetails(records: readonly SettledRecord[]): Generator<Buffer> {
  return binaryCopy(records, 2, (to, record) => {
    to.uuid(record.row.id);
    to.utf8(detailJsonOf(record));
  });
}
