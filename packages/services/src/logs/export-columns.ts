import { formatUsd } from "@sluice/core/money";
import type { RequestRow } from "@sluice/core/requests";
import type { NamesView } from "../names/names-view.ts";

/** Names by id; empty if the thing no longer has one. */
export interface ExportNames {
  user(id: string): string;
  key(id: string): string;
  provider(id: string): string;
}

type Value = string | number | boolean | null;

interface ExportColumn {
  of(row: RequestRow, names: ExportNames): Value;
  /** Administrators only. */
  admin?: true;
}

/**
 * The columns of an export, in order (docs/export.md describes each). Times are ISO 8601 in UTC, money is USD as decimal text, durations
 * are milliseconds; null is an empty cell.
 */
export const exportColumns = {
  id: { of: ({ id }) => id },
  started_at: { of: ({ startedAtMs }) => new Date(startedAtMs).toISOString() },
  state: { of: ({ state }) => state },
  status: { of: ({ status }) => status },
  error_code: { of: ({ errorCode }) => errorCode },
  dialect: { of: ({ dialect }) => dialect },
  endpoint: { of: ({ endpoint }) => endpoint },
  stream: { of: ({ stream }) => stream },
  model: { of: ({ model }) => model },
  upstream_model: { of: ({ upstreamModel }) => upstreamModel, admin: true },
  provider_id: { of: ({ providerId }) => providerId, admin: true },
  provider: { of: ({ providerId }, names) => names.provider(providerId), admin: true },
  user_id: { of: ({ userId }) => userId },
  user: { of: ({ userId }, names) => names.user(userId) },
  key_id: { of: ({ keyId }) => keyId },
  key: { of: ({ keyId }, names) => names.key(keyId) },
  group: { of: ({ group }) => group },
  session_id: { of: ({ sessionId }) => sessionId },
  client: { of: ({ client }) => client },
  attempts: { of: ({ attempts }) => attempts },
  input_tokens: { of: ({ usage }) => usage.input },
  output_tokens: { of: ({ usage }) => usage.output },
  cache_write_5m_tokens: { of: ({ usage }) => usage.cacheWrite5m },
  cache_write_1h_tokens: { of: ({ usage }) => usage.cacheWrite1h },
  cache_read_tokens: { of: ({ usage }) => usage.cacheRead },
  cost_usd: { of: ({ costNanoUsd }) => (costNanoUsd === null ? null : formatUsd(BigInt(costNanoUsd))) },
  billable: { of: ({ billable }) => billable },
  flags: { of: ({ flags }) => flags.join(" ") },
  ttft_ms: { of: ({ ttftMs }) => ttftMs },
  duration_ms: { of: ({ durationMs }) => durationMs },
} as const satisfies Record<string, ExportColumn>;

export type ExportColumnName = keyof typeof exportColumns;

export const exportColumnNames = Object.keys(exportColumns) as [ExportColumnName, ...ExportColumnName[]];

export function isAdminColumn(name: ExportColumnName): boolean {
  return "admin" in exportColumns[name];
}

export function exportNames({ users, keys, providers }: NamesView): ExportNames {
  const of = (items: readonly { id: string; name: string }[]) => {
    const names = new Map(items.map(({ id, name }) => [id, name]));
    return (id: string): string => names.get(id) ?? "";
  };
  return { user: of(users), key: of(keys), provider: of(providers) };
}
