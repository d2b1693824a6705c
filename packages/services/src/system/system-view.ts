import type { BreakerState, BusId, InstanceState } from "@sluice/core/events";

/** What can be said of PostgreSQL now; null fields could not be asked. */
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
 * The installation at one moment. Instances and breakers go on by events from `busId` on; PostgreSQL and Redis are as
 * they were when asked.
 */
export interface SystemView {
  instances: InstanceState[];
  /** Open and half-open ones. */
  breakers: BreakerState[];
  /** null: it did not answer. */
  postgres: PostgresFacts | null;
  /** null: it did not answer; "not_used": this installation is one process. */
  redis: RedisFacts | null | "not_used";
  /** Records that PostgreSQL refused and nobody released or dismissed; null when it could not be asked. */
  quarantined: number | null;
  busId: BusId;
  serverNowMs: number;
}
