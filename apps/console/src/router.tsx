import { createRootRoute, createRoute, createRouter, lazyRouteComponent as lazyRoute, Outlet, redirect } from "@tanstack/react-router";
import { currentLogin, isSignedIn, type SignedIn } from "./api/current-login.ts";
import { ListSearch } from "./lists/list-search.ts";
import { listenFor } from "./live/refetch.ts";
import { AuditSearch } from "./pages/audit/search.ts";
import { AvailabilitySearch } from "./pages/availability/search.ts";
import { CompareSearch } from "./pages/compare/search.ts";
import { CreditSearch } from "./pages/credits/search.ts";
import { LeaderboardSearch } from "./pages/leaderboard/search.ts";
import { LogSearch } from "./pages/logs/search.ts";
import { OverviewSearch } from "./pages/overview/search.ts";
import { SessionSearch } from "./pages/sessions/search.ts";
import { StatisticsSearch } from "./pages/statistics/search.ts";
import { choice, searchOf, text } from "./search-fields.ts";
import { AppShell } from "./shell/app-shell.tsx";
import { CrashPage, ForbiddenPage, NotFoundPage } from "./shell/fallback-pages.tsx";
import { SkeletonRows } from "./ui/states.tsx";

/**
 * A page that is loaded on demand. The router reloads the document when loading fails, since a newer version may be deployed; offline
 * that would only show the browser's error page, so the failure is disguised from the router.
 */
const lazyRouteComponent: typeof lazyRoute = (importer, name) =>
  lazyRoute(
    () =>
      importer().catch((thrown: unknown) => {
        throw navigator.onLine ? thrown : new Error(`offline: ${thrown instanceof Error ? thrown.message : thrown}`);
      }),
    name,
  );

/** The start page of a role. */
function homeOf(role: SignedIn["user"]["role"]) {
  return role === "key" ? "/keys" : "/overview";
}

// A page outside the shell brings its own landmark.
const rootRoute = createRootRoute({
  component: Outlet,
  notFoundComponent: () => (
    <main>
      <NotFoundPage />
    </main>
  ),
  errorComponent: (props) => (
    <main>
      <CrashPage {...props} />
    </main>
  ),
});

const setupRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/setup",
  validateSearch: searchOf({ token: text, step: choice(["provider", "key", "request"]) }),
  beforeLoad: async () => {
    const login = await currentLogin();
    if (isSignedIn(login)) listenFor(login);
    if (!login.setupRequired && login.user?.role !== "admin")
      throw redirect({ to: login.user ? homeOf(login.user.role) : "/login", replace: true });
    return { login };
  },
  component: lazyRouteComponent(() => import("./pages/setup/setup-page.tsx"), "SetupPage"),
});

const loginRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/login",
  validateSearch: searchOf({ redirect: text }),
  beforeLoad: async () => {
    const login = await currentLogin();
    if (login.setupRequired) throw redirect({ to: "/setup", replace: true });
    if (login.user) throw redirect({ to: homeOf(login.user.role), replace: true });
  },
  component: lazyRouteComponent(() => import("./pages/login/login-page.tsx"), "LoginPage"),
});

/** Everything behind sign-in: the shell, and the live stream of the signed-in user. */
const appRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: "app",
  beforeLoad: async ({ location }) => {
    const login = await currentLogin();
    if (login.setupRequired) throw redirect({ to: "/setup", replace: true });
    if (!isSignedIn(login)) throw redirect({ to: "/login", search: { redirect: location.href }, replace: true });
    listenFor(login);
    return { login };
  },
  component: AppShell,
});

const homeRoute = createRoute({
  getParentRoute: () => appRoute,
  path: "/",
  beforeLoad: ({ context }) => {
    throw redirect({ to: homeOf(context.login.user.role), replace: true });
  },
});

/** For pages about a user: a login by key is redirected to its start page. */
function notByKey({ context }: { context: { login: SignedIn } }): void {
  if (context.login.user.role === "key") throw redirect({ to: homeOf("key"), replace: true });
}

const overviewRoute = createRoute({
  getParentRoute: () => appRoute,
  path: "/overview",
  beforeLoad: notByKey,
  validateSearch: OverviewSearch,
  component: lazyRouteComponent(() => import("./pages/overview/overview-page.tsx"), "OverviewPage"),
});

/** Starts reading while the page is still loading. Not awaited: if the file fails to load, the page reports that. */
function prepareLog({ location }: { location: { search: LogSearch } }): void {
  void import("./pages/logs/use-log-feed.ts").then((feeds) => feeds.prepareLog(location.search)).catch(() => undefined);
}

const logsRoute = createRoute({
  getParentRoute: () => appRoute,
  path: "/logs",
  validateSearch: LogSearch,
  // Only once: further changes of the address are handled by the page.
  loader: prepareLog,
  staleTime: Number.POSITIVE_INFINITY,
  preload: false,
  component: lazyRouteComponent(() => import("./pages/logs/logs-page.tsx"), "LogsPage"),
});

const sessionsRoute = createRoute({
  getParentRoute: () => appRoute,
  path: "/sessions",
  validateSearch: SessionSearch,
  component: lazyRouteComponent(() => import("./pages/sessions/sessions-page.tsx"), "SessionsPage"),
});

const keysRoute = createRoute({
  getParentRoute: () => appRoute,
  path: "/keys",
  validateSearch: ListSearch,
  component: lazyRouteComponent(() => import("./pages/keys/keys-page.tsx"), "KeysPage"),
});

const creditsRoute = createRoute({
  getParentRoute: () => appRoute,
  path: "/credits",
  beforeLoad: notByKey,
  validateSearch: CreditSearch,
  component: lazyRouteComponent(() => import("./pages/credits/credits-page.tsx"), "CreditsPage"),
});

const statisticsRoute = createRoute({
  getParentRoute: () => appRoute,
  path: "/statistics",
  validateSearch: StatisticsSearch,
  component: lazyRouteComponent(() => import("./pages/statistics/statistics-page.tsx"), "StatisticsPage"),
});

const leaderboardRoute = createRoute({
  getParentRoute: () => appRoute,
  path: "/leaderboard",
  validateSearch: LeaderboardSearch,
  component: lazyRouteComponent(() => import("./pages/leaderboard/leaderboard-page.tsx"), "LeaderboardPage"),
});

const compareRoute = createRoute({
  getParentRoute: () => appRoute,
  path: "/compare",
  validateSearch: CompareSearch,
  component: lazyRouteComponent(() => import("./pages/compare/compare-page.tsx"), "ComparePage"),
});

const errorsRoute = createRoute({
  getParentRoute: () => appRoute,
  path: "/errors",
  /** The search text, and the code to show first. */
  validateSearch: searchOf({ q: text, code: text }),
  component: lazyRouteComponent(() => import("./pages/errors/errors-page.tsx"), "ErrorsPage"),
});

const apiRoute = createRoute({
  getParentRoute: () => appRoute,
  path: "/api",
  /** The search text, and the operation that was opened last. */
  validateSearch: searchOf({ q: text, op: text }),
  component: lazyRouteComponent(() => import("./pages/api/api-page.tsx"), "ApiPage"),
});

/** Pages for administrators; the server refuses their data to others anyway. */
const adminRoute = createRoute({
  getParentRoute: () => appRoute,
  id: "admin",
  component: function AdminOnly() {
    const { login } = adminRoute.useRouteContext();
    return login.user.role === "admin" ? <Outlet /> : <ForbiddenPage />;
  },
});

const providersRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "/providers",
  component: lazyRouteComponent(() => import("./pages/providers/providers-page.tsx"), "ProvidersPage"),
});

const availabilityRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "/availability",
  validateSearch: AvailabilitySearch,
  component: lazyRouteComponent(() => import("./pages/availability/availability-page.tsx"), "AvailabilityPage"),
});

const usersRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "/users",
  validateSearch: ListSearch,
  component: lazyRouteComponent(() => import("./pages/users/users-page.tsx"), "UsersPage"),
});

const pricesRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "/prices",
  component: lazyRouteComponent(() => import("./pages/prices/prices-page.tsx"), "PricesPage"),
});

const alertsRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "/alerts",
  component: lazyRouteComponent(() => import("./pages/alerts/alerts-page.tsx"), "AlertsPage"),
});

const settingsRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "/settings",
  /** The search text. */
  validateSearch: searchOf({ q: text }),
  component: lazyRouteComponent(() => import("./pages/settings/settings-page.tsx"), "SettingsPage"),
});

const auditRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "/audit",
  validateSearch: AuditSearch,
  component: lazyRouteComponent(() => import("./pages/audit/audit-page.tsx"), "AuditPage"),
});

const systemRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "/system",
  component: lazyRouteComponent(() => import("./pages/system/system-page.tsx"), "SystemPage"),
});

const ledgerRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "/system/ledger",
  component: lazyRouteComponent(() => import("./pages/system/ledger-page.tsx"), "LedgerPage"),
});

const figuresRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "/system/figures",
  component: lazyRouteComponent(() => import("./pages/system/figures-page.tsx"), "FiguresPage"),
});

const routeTree = rootRoute.addChildren([
  setupRoute,
  loginRoute,
  appRoute.addChildren([
    homeRoute,
    overviewRoute,
    logsRoute,
    sessionsRoute,
    keysRoute,
    creditsRoute,
    statisticsRoute,
    leaderboardRoute,
    compareRoute,
    errorsRoute,
    apiRoute,
    adminRoute.addChildren([
      providersRoute,
      availabilityRoute,
      usersRoute,
      pricesRoute,
      alertsRoute,
      settingsRoute,
      auditRoute,
      systemRoute,
      ledgerRoute,
      figuresRoute,
    ]),
  ]),
]);

/** Search parameters are plain text: a model named "4" stays a text, and links are readable. */
function stringifySearch(search: Record<string, unknown>): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) if (value !== undefined && value !== "") params.set(name, String(value));
  const query = params.toString();
  return query ? `?${query}` : "";
}

export function createAppRouter() {
  return createRouter({
    routeTree,
    parseSearch: (query) => Object.fromEntries(new URLSearchParams(query)),
    stringifySearch,
    // Removes parameters that a page does not know from its address: the router would pass them on unchecked.
    search: { strict: true },
    defaultPreload: "intent",
    defaultPendingMs: 300,
    // Pages appear as soon as they are ready.
    defaultPendingMinMs: 0,
    defaultPendingComponent: () => <SkeletonRows className="p-4" />,
    defaultErrorComponent: CrashPage,
    defaultNotFoundComponent: NotFoundPage,
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
