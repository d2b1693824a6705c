import type { Admission } from "@sluice/admission/admission";
import { systemClock } from "@sluice/core/clock";
import { newId } from "@sluice/core/ids";
import { openSecret, sealSecret } from "@sluice/db/secrets";
import type { Actor, Ctx, SecretBox, Services } from "./context.ts";
import { LoginCache } from "./logins/login-cache.ts";
import { createLoginThrottle } from "./logins/login-throttle.ts";
import { createOutageWatch } from "./outage-watch.ts";
import { shareStoreFigures } from "./system/read-store-figures.ts";

/** What the composing app provides; everything else is created here. */
export interface ServicesParts
  extends Pick<
    Services,
    "prisma" | "pool" | "redis" | "live" | "snapshot" | "cache" | "credit" | "egress" | "log" | "version" | "publicUrl"
  > {
  admission: Pick<Admission, "breakers" | "coolDowns" | "sticky" | "loads" | "usage" | "windows">;
  /** SLUICE_SECRET. */
  secret: string;
  /** Absent = nothing is measured. */
  measures?: Omit<Services["measures"], "stores">;
}

/** Creates what verbs work with, once per process. */
export function createServices(parts: ServicesParts): Services {
  const { secret, measures = unmeasured, admission, ...rest } = parts;
  const { breakers, coolDowns, sticky, loads } = admission;
  return {
    ...rest,
    ...{ breakers, coolDowns, sticky, loads, limits: admission },
    tenantId: "default",
    clock: systemClock,
    secrets: secretBox(secret, "providers"),
    channelSecrets: secretBox(secret, "alert_channels"),
    logins: new LoginCache(),
    throttle: createLoginThrottle(parts.redis),
    outages: createOutageWatch({
      clock: systemClock,
      ask: () => parts.snapshot.refresh(),
      onReturned: () => parts.live.bus.publish({ type: "database.returned" }),
    }),
    streams: new Set(),
    measures: { ...measures, stores: shareStoreFigures({ pool: parts.pool, redis: parts.redis, clock: systemClock }) },
  };
}

const unmeasured: NonNullable<ServicesParts["measures"]> = { called: () => undefined, rendered: () => undefined, process: () => null };

/** Binds each secret to its row, in the way that the snapshot decrypts those of providers. */
function secretBox(secret: string, table: string): SecretBox {
  const place = (rowId: string) => ({ table, column: "secret", rowId });
  return {
    encrypt: (plain, rowId) => sealSecret(secret, plain, place(rowId)),
    decrypt: (record, rowId) => openSecret(secret, record, place(rowId)),
  };
}

/** A context for one unit of work. */
export function contextOf(services: Services, actor: Actor, request: { requestId?: string; ip?: string } = {}): Ctx {
  return { ...services, actor, requestId: request.requestId ?? newId(), ip: request.ip ?? "" };
}

/** A context for boot, the configuration file or the command line, which may do everything. */
export function systemContext(services: Services, name: "cli" | "config" | "boot"): Ctx {
  return contextOf(services, { kind: "system", name });
}
