import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeLogin, makeUser } from "@sluice/testing/factories";
import { freePort } from "@sluice/testing/ports";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import { startTestRedis } from "@sluice/testing/redis";
import { collectable, type Subject, startSubject, startUpstream } from "../gateway/processes.ts";
import { type Child, startChild } from "./child.ts";

export const key = "sk-bench-0123456789abcdef0123456789";
const owner = "bench@example.com";

const configYaml = (port: number): string => `
providers:
  - { name: bench, dialect: anthropic, baseUrl: "http://127.0.0.1:${port}", secret: sk-upstream, models: [bench-model] }
users:
  - { email: ${owner}, name: Bench, role: user, keys: [{ name: bench, key: ${key} }] }
prices:
  - { model: bench-model, inputPerMTok: "3", outputPerMTok: "15" }
`;

/** Gateway and api as two processes over one Redis and one PostgreSQL; only the api runs on the measured core. */
export interface Stage {
  database: TestDatabase;
  gateway: Subject;
  traffic: Child;
  /** Nine administrators, who see everything, and the user who makes the requests: all of them get every row. */
  cookies: string[];
  startViewers(): Promise<Child>;
  /** A new api that has had no viewers yet. */
  startApi(): Promise<Subject>;
  close(): Promise<void>;
}

const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

export async function openStage(): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-bench-"));
  const upstreamPort = await freePort();
  const configPath = join(folder, "config.yaml");
  await writeFile(configPath, configYaml(upstreamPort));
  const database = await createTestDatabase();
  const redis = await startTestRedis();
  const env = (name: string, roles: string): Record<string, string> => ({
    DATABASE_URL: database.url,
    REDIS_URL: redis.url,
    SLUICE_DATA_DIR: join(folder, name),
    SLUICE_SECRET: "the-secret-of-a-benchmark",
    SLUICE_ALLOW_PRIVATE_UPSTREAMS: `127.0.0.1:${upstreamPort}`,
    SLUICE_LOG_LEVEL: "warn",
    SLUICE_ROLES: roles,
  });
  const startServer = async (cores: "measured" | "rest", variables: Record<string, string>): Promise<Subject> => {
    const port = await freePort();
    const args = [...collectable, "apps/server/src/main.ts"];
    return startSubject(cores, args, port, { env: { ...variables, PORT: String(port) }, readyPath: "/health/ready" });
  };
  const apis: Subject[] = [];
  const startApi = async (): Promise<Subject> => {
    const api = await startServer("measured", { ...env(`api-${apis.length}`, "api"), SLUICE_CONFIG: configPath });
    apis.push(api);
    return api;
  };
  const upstream = await startUpstream([upstreamPort]);
  // The first api applies the configuration, which the gateway then starts with.
  await (await startApi()).stop();
  const gateway = await startServer("rest", env("gateway", "gateway"));
  const traffic = await startChild(script("./traffic.ts"));
  const children: Child[] = [traffic];
  return {
    database,
    gateway,
    traffic,
    cookies: await signedIn(database),
    async startViewers() {
      const child = await startChild(script("./viewers.ts"));
      children.push(child);
      return child;
    },
    startApi,
    async close() {
      await Promise.all([...children, ...apis, gateway, upstream].map((process) => process.stop()));
      await redis.stop();
      await database.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function signedIn({ prisma }: TestDatabase): Promise<string[]> {
  const { id } = await prisma.user.findFirstOrThrow({ where: { email: owner } });
  const admins = await Promise.all(Array.from({ length: 9 }, () => makeUser(prisma, { role: "admin" })));
  const logins = await Promise.all([...admins.map((admin) => admin.id), id].map((userId) => makeLogin(prisma, { userId })));
  return logins.map(({ token }) => `sid=${token}`);
}
