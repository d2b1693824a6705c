/**
 * The console's API: one tRPC router per noun with one-line procedures, served by Fastify together with sign-in and the built console. It
 * is separate from services so that the rules do not depend on how they are called, and exports only its types to the console.
 */
import { declaredAccess } from "./declared-access.ts";
import { alertsRouter } from "./routers/alerts.ts";
import { auditRouter } from "./routers/audit.ts";
import { cachesRouter } from "./routers/caches.ts";
import { creditsRouter } from "./routers/credits.ts";
import { groupsRouter } from "./routers/groups.ts";
import { keysRouter } from "./routers/keys.ts";
import { liveRouter } from "./routers/live.ts";
import { loginsRouter } from "./routers/logins.ts";
import { logsRouter } from "./routers/logs.ts";
import { namesRouter } from "./routers/names.ts";
import { overviewRouter } from "./routers/overview.ts";
import { pricesRouter } from "./routers/prices.ts";
import { providersRouter } from "./routers/providers.ts";
import { quarantineRouter } from "./routers/quarantine.ts";
import { reconciliationsRouter } from "./routers/reconciliations.ts";
import { sessionsRouter } from "./routers/sessions.ts";
import { settingsRouter } from "./routers/settings.ts";
import { statisticsRouter } from "./routers/statistics.ts";
import { systemRouter } from "./routers/system.ts";
import { usersRouter } from "./routers/users.ts";
import { router } from "./trpc.ts";

export const appRouter = router({
  alerts: alertsRouter,
  audit: auditRouter,
  caches: cachesRouter,
  credits: creditsRouter,
  groups: groupsRouter,
  keys: keysRouter,
  live: liveRouter,
  logins: loginsRouter,
  logs: logsRouter,
  names: namesRouter,
  overview: overviewRouter,
  prices: pricesRouter,
  providers: providersRouter,
  quarantine: quarantineRouter,
  reconciliations: reconciliationsRouter,
  sessions: sessionsRouter,
  settings: settingsRouter,
  statistics: statisticsRouter,
  system: systemRouter,
  users: usersRouter,
});

export type AppRouter = typeof appRouter;

/** Type and access of every procedure by path. Throws while loading when one declares no access. */
export const procedures = declaredAccess(appRouter);
