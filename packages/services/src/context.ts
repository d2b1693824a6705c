/**
 * The room of the verbs: everything a person, the command line or the configuration file can do, one function each.
 * A verb requires a role, parses its input, changes Postgres in one transaction together with its audit row, and only
 * after the commit tells the others (configuration version, bus). It stands apart so that the API, the worker and the
 * command line share the rules, and so that nothing of it is on the gateway's hot path.
 */
import type { Admission, Breakers, CoolDowns, Loads, Sticky } from "@sluice/admission/admission";
import type { Credit } from "@sluice/admission/credit";
import type { Cache } from "@sluice/cache/cache";
import type { Clock } from "@sluice/core/clock";
import type { LiveEvent } from "@sluice/core/events";
import type { Log } from "@sluice/core/log";
import type { PrismaClient } from "@sluice/db/generated/client";
import type { Egress } from "@sluice/egress/contract";
import type { Bus, Commands, Frames, Instances, ProviderFigures, Registry, Sessions } from "@sluice/live/contract";
import type { Snapshot } from "@sluice/snapshot/config";
import type { Redis } from "ioredis";
import type { Pool } from "pg";
import type { LoginCache } from "./logins/login-cache.ts";
import type { LoginThrottle } from "./logins/login-throttle.ts";
import type { OutageWatch } from "./outage-watch.ts";
import type { Measures } from "./system/measures.ts";

/** Encrypts secrets of one table, each bound to its row. */
export interface SecretBox {
  encrypt(plain: string, rowId: string): string;
  decrypt(record: string, rowId: string): string;
}

/** What verbs work with: made once a process by whoever composes it. */
export interface Services {
  prisma: PrismaClient;
  pool: Pool;
  /** null = one process, in-process twins. */
  redis: Redis | null;
  live: {
    bus: Bus;
    frames: Frames;
    registry: Registry;
    sessions: Sessions;
    figures: ProviderFigures;
    commands: Commands;
    instances: Instances;
  };
  snapshot: Snapshot;
  /** Answers that were computed before; read through `cached` alone. */
  cache: Cache;
  breakers: Breakers;
  coolDowns: CoolDowns;
  /** Which provider a session is bound to. */
  sticky: Sticky;
  /** How the providers are to this process. */
  loads: Pick<Loads, "of">;
  /** What owners have taken of their limits. */
  limits: Pick<Admission, "usage" | "windows">;
  /** What requests have reserved of prepaid users' credit. */
  credit: Pick<Credit, "reserve" | "release" | "refresh">;
  egress: Egress;
  secrets: SecretBox;
  /** The same for secrets of alert channels. */
  channelSecrets: SecretBox;
  /** Logins this process has seen lately. */
  logins: LoginCache;
  throttle: LoginThrottle;
  outages: OutageWatch;
  /** What ends whatever goes on for somebody in this process: each event stream, a check of the books. */
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
 * Who acts. `system` is the command line, the configuration file or boot: it may do everything. `key` is who holds a client's
 * key and is no user: it sees what that key did, whoever its owner is; `loginId` is '' when the key itself came with the request.
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
  /** The open transaction, if any: see {@link file://./transaction.ts}. */
  transaction?: Transaction;
}

/** What an open transaction collects; sent once it is committed. */
export interface Transaction {
  tx: Omit<PrismaClient, "$connect" | "$disconnect" | "$on" | "$use" | "$extends" | "$transaction">;
  events: LiveEvent[];
  /** Whether the configuration version was raised already. */
  bumped: boolean;
  /** Users whose rights change: signed in or watching, they are authorised anew after the commit. */
  reauthorise: Set<string>;
  /** Reservations of credit that stand in for what is not committed yet. */
  reserved: string[];
}
