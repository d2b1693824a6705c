import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Admission } from "@sluice/admission/admission";
import { createAdmission } from "@sluice/admission/create-admission";
import { type Credit, createCredit } from "@sluice/admission/credit";
import { createCache } from "@sluice/cache/create-cache";
import { systemClock } from "@sluice/core/clock";
import type { LiveEvent } from "@sluice/core/events";
import { silentLog } from "@sluice/core/log";
import type { RequestRow } from "@sluice/core/requests";
import { createPool } from "@sluice/db/postgres";
import { createEgress } from "@sluice/egress/egress";
import { readCommittedCredit } from "@sluice/ledger/committed-credit";
import { settleBatch } from "@sluice/ledger/settle-batch";
import { createLive, type Live } from "@sluice/live/live";
import type { Ctx, Services } from "@sluice/services/context";
import { contextOf, createServices } from "@sluice/services/create-services";
import { createSnapshot } from "@sluice/snapshot/create-snapshot";
import { makeKey, makeUser, requestDetail, requestRow, testSecret } from "@sluice/testing/factories";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";

export interface TestServices {
  database: TestDatabase;
  services: Services;
  live: Live;
  admission: Admission;
  credit: Credit;
  /** A context for a new user with that role. */
  as(role: "admin" | "user"): Promise<Ctx & { userId: string }>;
  /** Runs `work` and returns the events it published, without those of the audit. */
  eventsOf(work: () => Promise<unknown>): Promise<LiveEvent[]>;
  /** Settles requests with these fields. */
  settle(...rows: Partial<RequestRow>[]): Promise<void>;
  /** Creates keys of a user and returns their ids. */
  makeKeys(count: number, userId: string): Promise<string[]>;
  close(): Promise<void>;
}

/** The services over the real packages they use, in one process. */
export async function startServices(options: { allowPrivateHosts?: string[] } = {}): Promise<TestServices> {
  const database = await createTestDatabase();
  const dir = await mkdtemp(join(tmpdir(), "sluice-services-"));
  const snapshot = await createSnapshot({
    pool: database.pool,
    redis: null,
    secret: testSecret,
    path: join(dir, "snapshot.json"),
    log: silentLog,
  });
  const settings = () => snapshot.current().settings;
  const live = createLive({ redisUrl: null, instanceId: "test", log: silentLog, settings });
  const admission = createAdmission({ redis: null, settings, onTransition: () => undefined, instanceId: "test", log: silentLog });
  // As in the server: holds keep their account locked while the balance is read on another connection.
  const balances = createPool(database.url, { max: 2, applicationName: database.name });
  const credit = createCredit({
    ...{ redis: null, log: silentLog, instanceId: "test", admits: true, onMoved: () => undefined },
    load: (userIds, requestIds) => readCommittedCredit(balances, userIds, requestIds),
  });
  const egress = createEgress({ allowPrivateHosts: options.allowPrivateHosts ?? ["127.0.0.1"], log: silentLog, clock: systemClock });
  const cache = createCache({ redis: null, version: "1.2.3", settings, configVersion: () => snapshot.current().version });
  const services = createServices({
    ...{ prisma: database.prisma, pool: database.pool, redis: null, log: silentLog, secret: testSecret },
    ...{ live, snapshot, cache, admission, credit, egress },
    version: "1.2.3",
    publicUrl: "http://127.0.0.1:4000",
  });
  return {
    database,
    services,
    live,
    admission,
    credit,
    async as(role) {
      const user = await makeUser(database.prisma, { role });
      await snapshot.refresh();
      const ctx = contextOf(services, { kind: "user", userId: user.id, role, email: user.email, name: user.name, loginId: "" });
      return { ...ctx, userId: user.id };
    },
    async eventsOf(work) {
      await live.bus.flush();
      const after = await live.bus.position();
      await work();
      await live.bus.flush();
      const stop = new AbortController();
      for await (const frame of live.frames.subscribe({ kind: "admin", userId: "test" }, after, stop.signal)) {
        stop.abort();
        return frame.events.filter(({ type }) => type !== "audit.added");
      }
      return [];
    },
    async settle(...rows) {
      const records = rows.map((fields) => {
        const row = requestRow(fields);
        return { row, detail: requestDetail({ id: row.id }), upstreamCostNanoUsd: "7" };
      });
      await settleBatch(database.pool, records);
    },
    async makeKeys(count, userId) {
      const keys = await Promise.all(Array.from({ length: count }, () => makeKey(database.prisma, { userId })));
      return keys.map(({ key }) => key.id);
    },
    async close() {
      await egress.close();
      await admission.close();
      await credit.close();
      await balances.end();
      await live.close();
      cache.close();
      await snapshot.close();
      await database.drop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
