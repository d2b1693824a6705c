/**
 * Home of the verbs: one function for each thing that a person, the command line or the configuration file can do. A verb requires a
 * role, parses its input, changes Postgres in one transaction together with its audit row, and only after the commit notifies the others
 * (configuration version, bus). The package is separate so that the API, the worker and the command line share the rules, and so that
 * none of it is on the gateway's hot path.
 */
import type { Admission, Breakers, CoolDowns, Loads, Sticky } from "@sluice/admission/admission";
import type { Credit } from "@sluice/admission/credit";
import type { Cache } from "@sluice/cache/cache";
import type { Clock } from "@sluice/core/clock";
import type { LiveEvent } from "@sluice/core/events";
import type { Log } from "@sluice/core/log";
import type { PrismaClient } from "@sluice/db/generated/client";
import type { Egress } from "@sluice/egress/contract";
import type { Live } from "@sluice/live/live";
import type { Snapshot } from "@sluice/snapshot/config";
import type { Redis } from "ioredis";
import type { Pool } from "pg";
import type { LoginCache } from "./logins/login-cache.ts";
import type { LoginThrottle } from "./logins/login-throttle.ts";
import type { OutageWatch } from "./outage-watch.ts";
import type { Measures } from "./system/measures.ts";

/** Encrypts the secrets of one table, each bound to its row. */
export interface SecretBox {
  encrypt(plain: string, rowId: string): string;
  decrypt(record: string, rowId: string): string;
}

/** What verbs work with, created once per process by the composing app. */
export interface Services {
  prisma: PrismaClient;
  pool: Pool;
  /** null = single process with in-process twins. */
  redis: Redis | null;
  live: Omit<Live, "published" | "redisReady" | "close">;
  snapshot: Snapshot;
  /** Computed answers; read only through `cached`. */
  cache: Cache;
  breakers: Breakers;
  coolDowns: CoolDowns;
  /** Binding of sessions to providers. */
  sticky: Sticky;
  /** What this process has measured of the providers. */
  loads: Pick<Loads, "of">;
  /** How much of their limits owners have used. */
  limits: Pick<Admission, "usage" | "windows">;
  /** Reservations by requests from prepaid users' credit. */
  credit: Pick<Credit, "reserve" | "release" | "refresh">;
  egress: Egress;
  secrets: SecretBox;
  /** The same for the secrets of alert channels. */
  channelSecrets: SecretBox;
  /** Logins recently seen by this process. */
  logins: LoginCache;
  throttle: LoginThrottle;
  outages: OutageWatch;
  /** Ends everything that runs on behalf of a user in this process: event streams, and a running reconciliation. */
  streams: Set<() => void>;
  measures: Measures;
  log: Log;
  clock: Clock;
  tenantId: string;
  version: string;
  /** Where browsers reach the console, without a trailing slash. */
  publicUrl: string;
}

/**
 * Who acts. `system` is the command line, the configuration file or boot, and may do everything. `key` is the holder of a client key and
 * not a user: it sees only what that key did, whatever its owner's role; `loginId` is '' when the request itself carried the key.
 */
export type Actor =
  | { kind: "anonymous" }
  | { kind: "user"; userId: string; role: "admin" | "user"; email: string; name: string; loginId: string }
  | { kind: "key"; keyId: string; userId: string; name: string; loginId: string }
  | { kind: "system"; name: "cli" | "config" | "boot" };

/** First argument of every verb. */
export interface Ctx extends Services {
  actor: Actor;
  requestId: string;
  ip: string;
  /** The open transaction, if any; see {@link file://./transaction.ts}. */
  transaction?: Transaction;
}

/** What an open transaction collects to send after its commit. */
export interface Transaction {
  tx: Omit<PrismaClient, "$connect" | "$disconnect" | "$on" | "$use" | "$extends" | "$transaction">;
  events: LiveEvent[];
  /** Whether the configuration version will be raised. */
  bumped: boolean;
  /** Users whose rights change: after the commit their logins and streams are authorised again. */
  reauthorise: Set<string>;
  /** Credit reservations that stand in for amounts not yet committed. */
  reserved: string[];
}
