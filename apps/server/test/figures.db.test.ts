import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { clientKey, configure, oneProvider } from "@sluice/testing/config-file";
import { until } from "@sluice/testing/deadline";
import { testSecret } from "@sluice/testing/factories";
import { callModel } from "@sluice/testing/model-client";
import { type OwnPostgres, startOwnPostgres } from "@sluice/testing/own-postgres";
import { freePort } from "@sluice/testing/ports";
import { startTestRedis, type TestRedis } from "@sluice/testing/redis";
import { makeDataDir, type ServerProcess, startServer } from "@sluice/testing/server-process";
import { startUpstream, type Upstream } from "@sluice/upstream/server";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type ConsoleClient, openConsole, watch } from "./console-client.ts";
import {
  connectReplica,
  evictKeys,
  hurryAutovacuum,
  makeDeadRows,
  restoreMemory,
  runIntoDeadlock,
  runSlowCommand,
  spillSort,
} from "./figure-movers.ts";
import { type FigureWatch, figure, type Scrape, watchFigures } from "./figure-watch.ts";

const token = "a-token-of-some-length";
const quick = { dialect: "anthropic", model: "claude-quick", stream: false, key: clientKey } as const;
const leftovers: (() => unknown)[] = [];
/** A separate server, because figures about a whole server move with everything that happens on it. */
let postgres: OwnPostgres;
let upstream: Upstream;
let redis: TestRedis;
let server: ServerProcess;
let admin: ConsoleClient;
let watched: FigureWatch;
const scrape = (): Promise<Scrape> => watched.scrape();
const risesTo: FigureWatch["risesTo"] = (...what) => watched.risesTo(...what);

beforeAll(async () => {
  const dir = makeDataDir();
  [postgres, redis, upstream] = await Promise.all([startOwnPostgres(), startTestRedis(), startUpstream()]);
  const env = {
    ...(await configure(dir.path, upstream, oneProvider({ "claude-quick": "plain,6" }))),
    ...{ DATABASE_URL: postgres.url, REDIS_URL: redis.url, SLUICE_SECRET: testSecret, SLUICE_METRICS_TOKEN: token },
  };
  server = await startServer({ dataDir: dir.path, port: await freePort(), env });
  leftovers.push(
    () => postgres.remove(),
    () => redis.stop(),
    () => upstream.stop(),
    () => dir.remove(),
    () => server.stop("SIGKILL"),
  );
  admin = await openConsole(server.url);
  watched = watchFigures(server, token, admin);
});
afterAll(async () => {
  for (const end of leftovers.reverse()) await end();
});

/** Runs `during` while another session holds an exclusive lock on the prices. */
async function whileLocked(during: () => Promise<void>): Promise<void> {
  const holder = await postgres.pool.connect();
  await holder.query("BEGIN; LOCK TABLE prices IN ACCESS EXCLUSIVE MODE");
  try {
    await during();
  } finally {
    await holder.query("ROLLBACK");
    holder.release();
  }
}

it("W32: requests by real method, route template or procedure, and status; no path of a client is a label", async () => {
  for (let n = 0; n < 3; n++) await callModel(server.url, quick);
  await Promise.all([admin.api.keys.list.query({}), admin.api.users.list.query({}), admin.api.keys.list.query({})]);
  await expect(admin.api.keys.revoke.mutate({ id: "01900000-0000-7000-8000-000000000000" })).rejects.toThrow();
  const odd = ["/no/such/page", "/v1beta/models/claude%20x:generateContent", "/v1/nothing", "/trpc/no.thing"];
  for (const path of odd) await fetch(`${server.url}${path}`, { method: "PUT" });
  const families = await scrape();
  const requests = (method: string, endpoint: string, status: string) =>
    figure(families, "http_requests_total", { method, endpoint, status });
  expect(requests("POST", "/v1/messages", "200")).toBe(3);
  expect(requests("GET", "/trpc/keys.list", "200")).toBe(2);
  expect(requests("GET", "/trpc/users.list", "200")).toBe(1);
  expect(requests("POST", "/trpc/keys.revoke", "404")).toBe(1);
  expect(requests("POST", "/auth/login", "200")).toBe(1);
  expect(requests("PUT", "/v1beta/models/{model}:generateContent", "405")).toBe(1);
  const labels = families.get("http_requests_total")?.samples.map((sample) => sample.labels) ?? [];
  const unbounded = labels.filter(({ method, endpoint = "" }) => method === "unknown" || /%|such|no\.?thing/.test(endpoint));
  expect(unbounded).toEqual([]);
});

it("W33: there are as many durations as requests", async () => {
  const count = async () => figure(await scrape(), "http_request_duration_seconds_count", { endpoint: "/v1/messages" });
  const before = await count();
  for (let n = 0; n < 4; n++) await callModel(server.url, quick);
  expect(await count()).toBe(before + 4);
});

it("W34: there are durations of statements for each table that was used", async () => {
  const { api } = admin;
  await Promise.all([api.keys.list.query({}), api.logs.list.query({}), api.prices.list.query(), api.audit.list.query({})]);
  await risesTo("sluice_ledger_rows_total", 7);
  const families = await scrape();
  for (const table of ["requests", "keys", "prices", "audit_entries", "users", "settings", "logins"])
    expect(figure(families, "db_query_duration_seconds_count", { table }), table).toBeGreaterThan(0);
});

it("W37: a statement that fails is counted as failed, and so is the procedure, whose caller is told", async () => {
  await postgres.pool.query("ALTER TABLE audit_entries RENAME TO audit_entries_away");
  await expect(admin.api.audit.list.query({})).rejects.toMatchObject({ data: { code: "internal" } });
  await postgres.pool.query("ALTER TABLE audit_entries_away RENAME TO audit_entries");
  const families = await scrape();
  expect(figure(families, "db_query_errors_total", { table: "audit_entries" })).toBeGreaterThan(0);
  expect(figure(families, "http_requests_total", { endpoint: "/trpc/audit.list", status: "500" })).toBe(1);
});

it("W35: cache_hit_rate is hits divided by hits and misses, and rises with repeated reads", async () => {
  const countsOf = (families: Awaited<ReturnType<typeof scrape>>) =>
    (families.get("cache_hit_rate")?.samples ?? []).map(({ labels, value }) => {
      const [hits, misses] = ["hits", "misses"].map((name) => figure(families, `sluice_cache_${name}_total`, labels)) as [number, number];
      return { namespace: labels.namespace, value, hits, misses };
    });
  const ask = () => admin.api.overview.latency.query();
  await ask();
  const before = countsOf(await scrape());
  for (let n = 0; n < 8; n++) await ask();
  const after = countsOf(await scrape());
  for (const { value, hits, misses } of after) expect(value).toBeCloseTo(hits / (hits + misses), 10);
  const moved = after.filter(({ namespace, hits }) => hits - (before.find((one) => one.namespace === namespace)?.hits ?? 0) >= 8);
  expect(moved).toHaveLength(1);
  expect(moved[0]?.value).toBeGreaterThan(before.find(({ namespace }) => namespace === moved[0]?.namespace)?.value ?? 0);
});

it("R36: everything is valid Prometheus text, each family with help and type, histograms with ascending buckets", async () => {
  const families = await scrape();
  expect(families.size).toBeGreaterThan(80);
  for (const [name, { type, help, samples }] of families) {
    expect([name, help]).toEqual([name, expect.stringMatching(/\S/)]);
    if (type === "counter") expect(name).toMatch(/_total$/);
    if (type !== "histogram") continue;
    const series = Map.groupBy(
      samples.filter((sample) => sample.name === `${name}_bucket`),
      ({ labels: { le: _, ...of } }) => JSON.stringify(of),
    );
    for (const buckets of series.values()) {
      const counts = buckets.map(({ value }) => value);
      expect(counts).toEqual([...counts].sort((a, b) => a - b));
      expect(buckets.at(-1)?.labels.le).toBe("+Inf");
    }
  }
});

it("every metric of the Grafana dashboard is one of /metrics", async () => {
  const text = await readFile(new URL("../../../docs/grafana-dashboard.json", import.meta.url), "utf8");
  const { panels } = JSON.parse(text) as { panels: { title: string; targets?: { expr: string }[] }[] };
  const exprs = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  const names = exprs.flatMap((expr) => Array.from(expr.matchAll(/([a-z][a-z0-9_]*)\{/g), ([, name = ""]) => name));
  expect(new Set(names).size).toBeGreaterThan(40);
  const families = await scrape();
  const known = (name: string) => families.has(name) || families.has(name.replace(/_(bucket|count|sum)$/, ""));
  expect(names.filter((name) => !known(name))).toEqual([]);
});

it("A26: what a load report watches is on /metrics: rate, spread, failures, memory, processor, hit rate, slow log", async () => {
  const families = await scrape();
  const watched = [
    ...["http_requests_total", "http_request_duration_seconds_count", "process_resident_memory_bytes", "nodejs_heap_size_used_bytes"],
    ...["process_cpu_seconds_total", "sluice_redis_cpu_seconds_total", "sluice_redis_hits_total"],
  ];
  for (const name of watched) expect(figure(families, name), name).toBeGreaterThan(0);
  expect(families.get("sluice_redis_slow_commands")?.samples).toHaveLength(1);
});

it("H18: a held lock, a long statement, a busy processor, writes and a slot that lags each move their figure", async () => {
  const before = await scrape();
  expect(figure(before, "sluice_postgres_up")).toBe(1);
  expect(figure(before, "sluice_postgres_lock_waits")).toBe(0);
  expect(figure(before, "sluice_postgres_replication_lag_bytes")).toBe(0);
  let waiting: Promise<unknown> = Promise.resolve();
  await whileLocked(async () => {
    waiting = admin.api.prices.history.query({ model: "m" });
    await risesTo("sluice_postgres_lock_waits", 1);
    await risesTo("sluice_postgres_longest_active_seconds", 0.6);
  });
  await waiting;
  await until(async () => figure(await scrape(), "sluice_postgres_lock_waits") === 0, { what: "nobody waits any more" });

  const busy = await postgres.pool.connect();
  const { rows } = await busy.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
  // Row by row: as a set it would first be written to a file, and a session that waits for a disk is not on a processor.
  const counting = busy.query("SELECT count(*) FROM (SELECT generate_series(1, 1000000000)) AS each").catch((error: unknown) => error);
  await risesTo("sluice_postgres_on_cpu_sessions", 1);
  await postgres.pool.query("SELECT pg_cancel_backend($1)", [rows[0]?.pid]);
  await counting;
  busy.release();

  await postgres.pool.query("SELECT pg_create_physical_replication_slot($1, true)", ["lagging"]);
  await callModel(server.url, quick);
  await risesTo("sluice_postgres_replication_lag_bytes", 1);
  await postgres.pool.query("SELECT pg_drop_replication_slot($1)", ["lagging"]);
  for (const name of ["transactions_total", "statements_total", "rows_written_total", "blocks_hit_total", "wal_bytes_total"])
    await risesTo(`sluice_postgres_${name}`, figure(before, `sluice_postgres_${name}`) + 1);
  for (const name of ["sluice_events_published_total", "sluice_ledger_flushes_total", "sluice_ledger_fsync_duration_seconds_count"])
    await risesTo(name, figure(before, name) + 1);
});

it("P38: Redis' memory and hit rate, the API's latency and the log of slow statements are on the page and on /metrics", async () => {
  const before = await scrape();
  await callModel(server.url, quick);
  await whileLocked(async () => {
    const slow = admin.api.prices.history.query({ model: "m" });
    await risesTo("sluice_postgres_longest_active_seconds", 0.6);
    void slow.catch(() => undefined);
  });
  await risesTo("db_slow_queries_total", 2, { table: "prices" });
  for (const name of ["commands_total", "hits_total", "misses_total", "received_bytes_total", "sent_bytes_total", "published_total"])
    await risesTo(`sluice_redis_${name}`, figure(before, `sluice_redis_${name}`) + 1);
  expect(figure(await scrape(), "sluice_redis_memory_bytes")).toBeGreaterThan(100_000);

  const { process, stores } = await admin.api.system.figures.query();
  expect(process?.endpoints.find(({ name }) => name === "POST /v1/messages")).toMatchObject({ errors: 0, p95Ms: expect.any(Number) });
  expect(process?.slowQueries[0]).toMatchObject({ table: "prices", text: expect.stringContaining("prices") });
  expect(process?.slowQueries[0]?.ms).toBeGreaterThanOrEqual(500);
  expect(stores.redis).toMatchObject({ memoryBytes: expect.any(Number), keyHits: expect.any(Number), slowCommands: expect.any(Number) });
});

it("R29: memory, time of statements, hit rate and spread of latency are pushed to who has the page open", async () => {
  await admin.api.system.reportVitals.mutate({ vitals: [{ name: "render", page: "logs", ms: 40 }] });
  const viewer = watch(admin, ["figures"]);
  leftovers.push(() => viewer.close());
  const seen = () => viewer.frames.flatMap(({ events }) => events);
  const pushed = await until(() => seen().find(({ type }) => type === "figures.measured"), { what: "figures", deadlineMs: 30_000 });
  if (pushed.type !== "figures.measured") throw new Error("not figures");
  const { process } = pushed;
  expect(process.rssBytes).toBeGreaterThan(10_000_000);
  expect(process.pages).toEqual([expect.objectContaining({ name: "render logs", count: 1 })]);
  expect(process.queries.find(({ name }) => name === "requests")?.count).toBeGreaterThan(0);
  const spread = process.endpoints.find(({ name }) => name === "POST /v1/messages");
  expect(spread?.p99Ms ?? 0).toBeGreaterThanOrEqual(spread?.p50Ms ?? Number.NaN);
  const stores = await until(() => seen().find(({ type }) => type === "stores.measured"), { what: "the stores'", deadlineMs: 30_000 });
  expect(stores).toMatchObject({ stores: { postgres: { lockWaits: 0 }, redis: { keyHits: expect.any(Number) } } });
});

it("H18: a deadlock, a sort that spills, rows that die, autovacuum and a replica each move their figure", async () => {
  const before = await scrape();
  const more = (name: string): Promise<void> => risesTo(`sluice_postgres_${name}`, figure(before, `sluice_postgres_${name}`) + 1);
  await runIntoDeadlock(postgres.pool);
  await more("deadlocks_total");
  await spillSort(postgres.pool);
  await more("temp_bytes_total");
  await makeDeadRows(postgres.pool);
  await more("blocks_read_total");
  await risesTo("sluice_postgres_dead_rows", 1_000);
  await hurryAutovacuum(postgres.pool);
  await risesTo("sluice_postgres_autovacuum_workers", 1);
  await more("autovacuums_total");
  const leave = await connectReplica(postgres.url);
  await risesTo("sluice_postgres_replicas", 1);
  await leave();
  await until(async () => figure(await scrape(), "sluice_postgres_replicas") === 0, { what: "the replica is gone" });
});

it("H18: a limit of its memory, keys that it drops for it and a slow command move Redis' figures", async () => {
  expect(figure(await scrape(), "sluice_redis_max_memory_bytes")).toBe(0);
  await evictKeys(redis.url);
  await risesTo("sluice_redis_evicted_total", 1);
  expect(figure(await scrape(), "sluice_redis_max_memory_bytes")).toBeGreaterThan(1_000_000);
  await restoreMemory(redis.url);
  const slow = figure(await scrape(), "sluice_redis_slow_commands");
  await runSlowCommand(redis.url);
  await risesTo("sluice_redis_slow_commands", slow + 1);
});

it("H18: a flush that fails, records and statements that wait, and a probe that another request has move theirs", async () => {
  await postgres.pool.query("ALTER TABLE key_totals RENAME TO key_totals_away");
  await callModel(server.url, quick);
  await risesTo("sluice_ledger_failures_total", 1);
  await risesTo("sluice_ledger_depth", 1);
  await postgres.pool.query("ALTER TABLE key_totals_away RENAME TO key_totals");
  await until(async () => figure(await scrape(), "sluice_ledger_depth") === 0, { what: "it is settled" });

  const waiting = async (): Promise<number> => figure(await scrape(), "sluice_db_connections_waiting");
  await until(async () => (await waiting()) === 0, { what: "nobody waits for a connection" });
  let asked: Promise<unknown>[] = [];
  await whileLocked(async () => {
    asked = Array.from({ length: 12 }, () => admin.api.prices.history.query({ model: "m" }));
    // The page cannot be used here: its own query would wait, too.
    await until(async () => (await waiting()) > 0, { what: "statements wait for a connection" });
  });
  await Promise.all(asked);

  await admin.api.settings.update.mutate({ "breaker.failures": 1, "breaker.openSeconds": 1 });
  const before = figure(await scrape(), "sluice_lock_conflicts_total");
  const conflict = async (): Promise<boolean> => {
    upstream.control("*", "error-before,500");
    await callModel(server.url, quick);
    upstream.control("*", null);
    const due = async () =>
      (await admin.api.system.get.query()).breakers.some(({ probeAtMs }) => probeAtMs !== null && probeAtMs <= Date.now());
    await until(due, { what: "a probe is due", everyMs: 50 });
    // While Redis does not answer, all of them ask for the probe.
    redis.pause();
    const calls = Array.from({ length: 8 }, () => callModel(server.url, quick));
    await sleep(100);
    redis.resume();
    await Promise.all(calls);
    return figure(await scrape(), "sluice_lock_conflicts_total") > before;
  };
  await until(conflict, { what: "a probe is met", deadlineMs: 30_000 });
  await risesTo("sluice_lock_conflicts_total", before + 1);
});

it("a Redis that does not answer has no samples but its up, and the scrape answers", async () => {
  expect(figure(await scrape(), "sluice_redis_up")).toBe(1);
  await redis.kill();
  await until(async () => figure(await scrape(), "sluice_redis_up") === 0, { what: "Redis is down", everyMs: 100 });
  const families = await scrape();
  expect(families.get("sluice_redis_memory_bytes")?.samples).toEqual([]);
  expect(figure(families, "sluice_postgres_up")).toBe(1);
});

it("H18, P38, A26: none of the figures is constant", async () => {
  const names = /^(sluice_(postgres|redis|lock|events|frames|db)_|sluice_ledger_(depth|flushes|rows|failures)|http_|db_|cache_hit_rate)/;
  const ofThePage = /^(process|ledger|postgres|redis)\./;
  const still = watched.still().filter((name) => names.test(name) || ofThePage.test(name));
  // Constant in this test: PostgreSQL's start options and its availability. The page's own query waits for a connection, so it never sees
  // others waiting.
  const known = ["sluice_postgres_max_connections", "postgres.maxConnections", "sluice_postgres_up", "process.connectionsWaiting"];
  expect(still.filter((name) => !known.includes(name))).toEqual([]);
});
