import type { SkewedLog } from "@sluice/testing/seed-skewed-log";
import { type Call, type LoadFigures, runClients, runOnce } from "./api/load.ts";
import { queriesBetween, queryQuantileMs } from "./api/query-durations.ts";
import { type ApiStage, openApiStage } from "./api/stage.ts";
import { settledBytes } from "./gateway/open-requests.ts";
import { type BenchOptions, type Metric, quantile, type Report, summarise } from "./report.ts";

/**
 * The REST API under the load of programs and of console users: a real api process, ten thousand users, a million requests in the log
 * (sixty thousand without --full). Measures fifty clients at a fixed rate, and as fast as they are answered (there the latency is only
 * clients divided by throughput); the list of users; a session on the dashboard; query durations from the process's own histogram; memory
 * growth from a first round of load to after three more (ten minutes with --full); and how much sooner a page has its figures when they
 * are cached.
 */
const log: SkewedLog = { rows: 1_000_000, days: 90, users: 10_000, keysPerUser: 1, providers: 50, models: 80 };
const clients = 50;
/** Sustained rate of all clients together. */
const askedPerSecond = 200;

/** Size of the measurement. */
export interface ApiPlan {
  log: SkewedLog;
  /**
   * Duration of each load by all clients: one warm-up and three rounds at full speed; then of the paced loads and of the list of users.
   */
  loadMs: number;
  listMs: number;
}

/** The calls of a page, for an administrator or a user. */
const pages = {
  everybody: [
    "/overview",
    "/latency",
    "/statistics",
    "/statistics?by=none&step=hour",
    "/usage",
    "/leaderboard?of=models",
    "/leaderboard?of=keys&sort=tokens",
    "/filter-options",
    "/logs?limit=50",
    "/keys?limit=20&fields=totals",
    "/sessions",
  ],
  admins: ["/leaderboard?of=users&period=all", "/users/pages?fields=email", "/availability", "/providers", "/prices"],
};

function mixOf({ admin, users }: ApiStage): Call[] {
  const of = (cookie: string, paths: readonly string[]): Call[] => paths.map((path) => ({ path, cookie }));
  return [...of(admin, [...pages.everybody, ...pages.admins]), ...users.flatMap((cookie) => of(cookie, pages.everybody))];
}

/** Calls of the page that lists users: paged, sorted and searched, with the most expensive fields. */
function userListOf({ admin }: ApiStage, calls: number): Call[] {
  const sorts = ["created", "name", "lastUsed", "requests", "tokens"];
  return Array.from({ length: calls }, (_, n) => {
    const search = n % 7 === 0 ? "&search=user%201" : "";
    const path = `/users/pages?page=${1 + (n % 500)}&fields=email&fields=totals&fields=keys&fields=credit&sort=${sorts[n % sorts.length]}${search}`;
    return { path, cookie: admin };
  });
}

/** The calls of the page of figures when it opens. */
const dashboard = ["/latency", "/statistics", "/usage", "/leaderboard?of=models", "/filter-options"];

/** Opened once by an administrator and by each user. */
function openingsOf({ admin, users }: ApiStage): Call[] {
  return [admin, ...users].flatMap((cookie) => dashboard.map((path) => ({ path, cookie })));
}

/** Somebody studies the figures: loads the page, switches range and order back and forth, and returns to it. */
function dashboardOf({ admin, users }: ApiStage): Call[] {
  const look = [
    "/statistics?step=hour",
    "/leaderboard?of=models&sort=tokens",
    "/leaderboard?of=models",
    "/latency?range=7d",
    "/statistics",
  ];
  const session = (cookie: string): Call[] =>
    Array.from({ length: 10 }, () => [...dashboard, ...look].map((path) => ({ path, cookie }))).flat();
  return [admin, ...users.slice(0, 2)].flatMap(session);
}

export function apiBench({ full }: BenchOptions): Promise<Report> {
  // Three rounds, each with a load at full speed and one at the fixed rate: ten minutes.
  const plan = full ? { log, loadMs: 180_000, listMs: 20_000 } : { log: { ...log, rows: 60_000 }, loadMs: 5_000, listMs: 4_000 };
  return measureApi(plan);
}

export async function measureApi({ log, loadMs, listMs }: ApiPlan): Promise<Report> {
  const stage = await openApiStage(log);
  try {
    const before = await stage.metrics();
    // The first reader of everything, one call at a time: caches are cold and code is not compiled yet.
    const cold = await runOnce(stage.url, mixOf(stage));
    const warmByCold: number[] = [];
    for (let round = 0; round < 5; round++) warmByCold.push(await warmByColdOf(stage));
    const session = await runOnce(stage.url, dashboardOf(stage));
    const list = await runClients(stage.url, userListOf(stage, 1_000), { clients: 5, forMs: listMs });
    const grown: number[] = [];
    // A warm-up as long as each later round: the memory that a process settles at under load is not growth.
    await runClients(stage.url, mixOf(stage), { clients, forMs: loadMs });
    const rssBefore = await settledBytes(stage.server);
    const [loads, paced]: [LoadFigures[], LoadFigures[]] = [[], []];
    for (let round = 0; round < 3; round++) {
      paced.push(await runClients(stage.url, mixOf(stage), { clients, forMs: listMs, perSecond: askedPerSecond }));
      loads.push(await runClients(stage.url, mixOf(stage), { clients, forMs: loadMs }));
      grown.push((await settledBytes(stage.server)) / rssBefore);
    }
    return report({ cold, warmByCold, session, list, paced, loads, grown, before, after: await stage.metrics() });
  } finally {
    await stage.close();
  }
}

/** Time for everyone to open the page of figures with everything cached, divided by the time with nothing cached. */
async function warmByColdOf(stage: ApiStage): Promise<number> {
  await stage.forget();
  const [cold, warm] = [await runOnce(stage.url, openingsOf(stage)), await runOnce(stage.url, openingsOf(stage))];
  const sum = ({ ms }: LoadFigures): number => ms.reduce((total, one) => total + one, 0);
  return sum(warm) / sum(cold);
}

interface Measured {
  cold: LoadFigures;
  warmByCold: number[];
  session: LoadFigures;
  list: LoadFigures;
  /** By round, at the fixed rate. */
  paced: LoadFigures[];
  /** By round, as fast as they are answered. */
  loads: LoadFigures[];
  /** Resident memory after each round, relative to that before the first. */
  grown: number[];
  before: string;
  after: string;
}

function report({ cold, warmByCold, session, list, paced, loads, grown, before, after }: Measured): Report {
  const one = (figure: number): Metric => summarise([figure]);
  const { hit, miss, bypass } = session.cache;
  const errors = [cold, session, list, ...paced, ...loads].reduce((sum, load) => sum + load.errors, 0);
  const ofEach = (loads: readonly LoadFigures[], figure: (load: LoadFigures) => number): Metric => summarise(loads.map(figure));
  return {
    metrics: {
      clients: one(clients),
      coldMsP50: one(quantile(cold.ms, 0.5)),
      coldMsP95: one(quantile(cold.ms, 0.95)),
      "W38: msP50": ofEach(paced, ({ ms }) => quantile(ms, 0.5)),
      "W38: msP95": ofEach(paced, ({ ms }) => quantile(ms, 0.95)),
      "W39: queries": one(queriesBetween(before, after)),
      "W39: queryMsP95": one(queryQuantileMs(before, after, 0.95)),
      "W40: userListMsP50": one(quantile(list.ms, 0.5)),
      "W40: userListMsP95": one(quantile(list.ms, 0.95)),
      "W42: hitRate": one(hit / (hit + miss + bypass)),
      "W43: perSecond": ofEach(loads, ({ perSecond }) => perSecond),
      "W43: msP95": ofEach(loads, ({ ms }) => quantile(ms, 0.95)),
      "W43: errors": one(errors),
      "W44: rssAfterByBefore": one(grown.at(-1) ?? Number.NaN),
      "W44: warmPageByCold": summarise(warmByCold),
    },
    targets: {
      "W38: msP95": { atMost: 150 },
      "W39: queryMsP95": { atMost: 50 },
      "W40: userListMsP95": { atMost: 200 },
      "W42: hitRate": { atLeast: 0.85 },
      "W43: perSecond": { atLeast: askedPerSecond },
      "W43: errors": { atMost: 0 },
      "W44: rssAfterByBefore": { atMost: 1.1 },
      "W44: warmPageByCold": { atMost: 0.5 },
    },
    samples: {
      rssByBefore: grown,
      coldMs: cold.ms,
      sessionMs: session.ms,
      userListMs: list.ms,
      ...Object.fromEntries(paced.map(({ ms }, round) => [`pacedMs${round}`, ms])),
      ...Object.fromEntries(loads.map(({ ms }, round) => [`loadMs${round}`, ms])),
    },
  };
}
