import type { BreakerState, BusId, InstanceState } from "@sluice/core/events";

/** Facts about PostgreSQL now; a field that could not be read is null. */
export interface PostgresFacts {
  version: string;
  sizeBytes: number;
  connections: number;
  maxConnections: number;
  migrations: number;
  newestMigration: string;
}

export interface RedisFacts {
  version: string;
  memoryBytes: number;
  clients: number;
  startedAtMs: number;
}

/**
 * The installation at one moment. Changes of instances and breakers arrive as events from `busId` on; PostgreSQL and Redis are as they
 * were when read.
 */
export interface SystemView {
  instances: InstanceState[];
  /** Open and half-open ones. */
  breakers: BreakerState[];
  /** null = no answer. */
  postgres: PostgresFacts | null;
  /** null = no answer; "not_used" = a single process without Redis. */
  redis: RedisFacts | null | "not_used";
  /** Records that PostgreSQL refused and nobody has released or dismissed; null when they could not be counted. */
  quarantined: number | null;
  busId: BusId;
  serverNowMs: number;
}
