import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCache } from "@sluice/cache/create-cache";
import { type Clock, systemClock } from "@sluice/core/clock";
import { silentLog } from "@sluice/core/log";
import { createLive } from "@sluice/live/live";
import type { Actor, Ctx } from "@sluice/services/context";
import { createSnapshot } from "@sluice/snapshot/create-snapshot";
import { testSecret } from "@sluice/testing/factories";
import type { TestDatabase } from "@sluice/testing/postgres";
import { skewedId } from "@sluice/testing/skewed-log";

/** The services that verbs about the past need, composed as in the server. */
export interface World {
  admin: Ctx;
  /** The n-th user; low numbers have used most. */
  user(n: number): Ctx;
  /** The same viewers with an empty cache and another clock. */
  withClock(clock: Clock): Pick<World, "admin" | "user">;
  close(): Promise<void>;
}

export async function openWorld({ pool, prisma }: TestDatabase): Promise<World> {
  const dir = await mkdtemp(join(tmpdir(), "sluice-bench-stats-"));
  const snapshot = await createSnapshot({ pool, redis: null, secret: testSecret, path: join(dir, "snapshot.json"), log: silentLog });
  const settings = () => snapshot.current().settings;
  const live = createLive({ redisUrl: null, instanceId: "bench", log: silentLog, settings });
  const closing: (() => void)[] = [];
  const viewers = (clock: Clock): Pick<World, "admin" | "user"> => {
    const cache = createCache({ redis: null, version: "bench", settings, configVersion: () => snapshot.current().version, clock });
    closing.push(() => cache.close());
    const rooms = { pool, prisma, snapshot, live, cache, clock, log: silentLog, tenantId: "default", requestId: "", ip: "" };
    const as = (actor: Actor): Ctx => Object.assign({} as Ctx, rooms, { actor });
    const person = { email: "", name: "", loginId: "" };
    return {
      admin: as({ kind: "user", userId: skewedId("user", 0), role: "admin", ...person }),
      user: (n) => as({ kind: "user", userId: skewedId("user", n), role: "user", ...person }),
    };
  };
  return {
    ...viewers(systemClock),
    withClock: viewers,
    async close() {
      for (const close of closing) close();
      await live.close();
      await snapshot.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
