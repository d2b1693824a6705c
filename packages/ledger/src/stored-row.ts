import { timeOfId } from "@sluice/core/ids";
import type { DialectName, Endpoint, RequestRow, RequestState, Usage, UsageFlag } from "@sluice/core/requests";

/** The columns of a row's usage as the driver returns them. */
export interface UsageColumns {
  input_tokens: string;
  output_tokens: string;
  cache_write_5m_tokens: string;
  cache_write_1h_tokens: string;
  cache_read_tokens: string;
}

/** A row of `requests` as the driver returns it. */
export interface DbRow extends UsageColumns {
  id: string;
  tenant_id: string;
  user_id: string;
  key_id: string;
  session_id: string;
  provider_id: string;
  group: string;
  dialect: DialectName;
  endpoint: Endpoint;
  stream: boolean;
  model: string;
  upstream_model: string;
  state: RequestState;
  status: number;
  error_code: string;
  attempts: number;
  flags: UsageFlag[] | null;
  cost_nano_usd: string | null;
  billable: boolean;
  ttft_ms: number | null;
  duration_ms: number;
  client: string;
  corrects_id: string | null;
}

/** The columns of a {@link RequestRow}, from table alias `r`. */
export const rowColumns = `r.id, r.tenant_id, r.user_id, r.key_id, r.session_id, r.provider_id, r."group", r.dialect, r.endpoint,
  r.stream, r.model, r.upstream_model, r.state, r.status, r.error_code, r.attempts, r.input_tokens, r.output_tokens,
  r.cache_write_5m_tokens, r.cache_write_1h_tokens, r.cache_read_tokens, r.flags, r.cost_nano_usd, r.billable, r.ttft_ms,
  r.duration_ms, r.client, r.corrects_id`;

/** Converts to the shape used everywhere else. */
export function toRow(row: DbRow): RequestRow {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    userId: row.user_id,
    keyId: row.key_id,
    sessionId: row.session_id,
    providerId: row.provider_id,
    group: row.group,
    dialect: row.dialect,
    endpoint: row.endpoint,
    stream: row.stream,
    model: row.model,
    upstreamModel: row.upstream_model,
    state: row.state,
    status: row.status,
    errorCode: row.error_code,
    attempts: row.attempts,
    usage: toUsage(row),
    flags: row.flags ?? [],
    costNanoUsd: row.cost_nano_usd,
    billable: row.billable,
    startedAtMs: timeOfId(row.id),
    ttftMs: row.ttft_ms,
    durationMs: row.duration_ms,
    client: row.client,
    correctsId: row.corrects_id,
  };
}

export function toUsage(row: UsageColumns): Usage {
  return {
    input: Number(row.input_tokens),
    output: Number(row.output_tokens),
    cacheWrite5m: Number(row.cache_write_5m_tokens),
    cacheWrite1h: Number(row.cache_write_1h_tokens),
    cacheRead: Number(row.cache_read_tokens),
  };
}
