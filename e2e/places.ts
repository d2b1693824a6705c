/** Where the instances under test listen. */
export interface Place {
  name: string;
  consoleUrl: string;
  gatewayUrl: string;
  /** Another instance of the gateway, which shares nothing with the first but Postgres and Redis; absent where there is none. */
  secondGatewayUrl?: string;
}

/** The first of the ports; another one lets two runs of a checkout be at work at the same time. */
const base = Number(process.env.SLUICE_E2E_PORT ?? 4110);
const at = (port: number): string => `http://127.0.0.1:${base + port}`;

export const upstreamPort = base;
/** Nobody answers there: who has it may change settings (fixtures: `settingsAlone`). */
export const settingsPort = base + 90;
/** What the instances under test write. */
export const dataRoot = `.sluice-e2e/${base}`;

export const places = {
  split: { name: "split", consoleUrl: at(10), gatewayUrl: at(11), secondGatewayUrl: at(12) },
  single: { name: "single", consoleUrl: at(20), gatewayUrl: at(20) },
} satisfies Record<string, Place>;

/** The administrator that instances started for tests have. */
export const admin = {
  email: process.env.SLUICE_E2E_EMAIL ?? "admin@example.com",
  password: process.env.SLUICE_E2E_PASSWORD ?? "e2e-admin-password",
};
