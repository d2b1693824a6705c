import type { Actor, Services } from "../context.ts";
import { keyActor } from "./find-key-actor.ts";
import type { KnownLogin } from "./login-cache.ts";
import { isLoginToken, loginIdOf } from "./login-token.ts";

/** An unused login ends after this time, even before its expiry. */
export const IDLE_MS = 7 * 24 * 3_600_000;
/** Step of `lastSeenAt`, so that not every read causes a write. */
const SEEN_STEP_MS = 10 * 60_000;

/**
 * The actor that a cookie's token stands for. Rights are the lesser of what Postgres said (at most 2 s ago) and what the snapshot says
 * now, so that demoting and disabling take effect at once. While Postgres is down, logins seen in the last ten minutes stay valid. A
 * login by key acts as that key while the key may be used from `ip`. `fresh` bypasses the cached login, for decisions that are not
 * checked again soon.
 * @throws the error of Postgres when it cannot be reached and the token is not cached.
 */
export async function findActor(
  services: Services,
  token: string | undefined,
  options: { fresh?: boolean; ip?: string } = {},
): Promise<Actor> {
  if (!token || !isLoginToken(token)) return { kind: "anonymous" };
  const loginId = loginIdOf(token);
  const nowMs = services.clock.now();
  const login = options.fresh
    ? await read(services, loginId, nowMs)
    : (services.logins.fresh(loginId, nowMs) ?? (await services.logins.readOnce(loginId, () => read(services, loginId, nowMs))));
  if (!login || login.expiresAtMs <= nowMs || login.lastSeenAtMs + IDLE_MS <= nowMs) return { kind: "anonymous" };
  if (login.keySha256 !== null) return actorOfKey(services, loginId, { sha256: login.keySha256, ip: options.ip ?? "" });
  const now = services.snapshot.current().users.get(login.userId);
  if (!login.enabled || now?.enabled === false) return { kind: "anonymous" };
  const role = login.role === "admin" && now?.role !== "user" ? "admin" : "user";
  return { kind: "user", userId: login.userId, role, email: login.email, name: login.name, loginId };
}

/** The key behind a login, while the gateway would accept it too; checked on each call, in memory. */
async function actorOfKey(services: Services, loginId: string, { sha256, ip }: { sha256: string; ip: string }): Promise<Actor> {
  const key = await services.snapshot.findKey(sha256);
  try {
    return key ? { ...keyActor(services, key, ip), loginId } : { kind: "anonymous" };
  } catch {
    return { kind: "anonymous" };
  }
}

async function read(services: Services, loginId: string, nowMs: number): Promise<KnownLogin | null> {
  const { logins, prisma, tenantId } = services;
  let row: Awaited<ReturnType<typeof query>>;
  try {
    row = await query(prisma, loginId);
  } catch (outage) {
    const stale = logins.stale(loginId, nowMs);
    if (stale) return stale;
    throw outage;
  }
  if (!row || row.user.tenantId !== tenantId) {
    logins.forget(loginId);
    return null;
  }
  const { user } = row;
  const login: KnownLogin = {
    loginId,
    userId: user.id,
    email: user.email,
    name: user.name,
    role: user.role,
    enabled: user.disabledAt === null,
    keySha256: row.keySha256,
    expiresAtMs: row.expiresAt.getTime(),
    lastSeenAtMs: row.lastSeenAt.getTime(),
    readAtMs: nowMs,
  };
  if (nowMs - login.lastSeenAtMs > SEEN_STEP_MS && nowMs - login.lastSeenAtMs < IDLE_MS) {
    await prisma.login.updateMany({ where: { id: loginId }, data: { lastSeenAt: new Date(nowMs) } });
    login.lastSeenAtMs = nowMs;
  }
  logins.keep(login);
  return login;
}

function query(prisma: Services["prisma"], loginId: string) {
  return prisma.login.findUnique({ where: { id: loginId }, include: { user: true } });
}
