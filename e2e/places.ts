/** Addresses of the instances under test. */
export interface Place {
  name: string;
  consoleUrl: string;
  gatewayUrl: string;
  /** Another gateway, which shares only Postgres and Redis with the first; absent where there is none. */
  secondGatewayUrl?: string;
}

/** The first of the ports; a different one allows two runs in one checkout at the same time. */
const base = Number(process.env.SLUICE_E2E_PORT ?? 4110);
const at = (port: number): string => `http://127.0.0.1:${base + port}`;

export const upstreamPort = base;
/** A port used only as a lock: its holder may change settings (fixtures: `settingsAlone`). */
export const settingsPort = base + 90;
/** Data of the instances under test. */
export const dataRoot = `.sluice-e2e/${base}`;

export const places = {
  split: { name: "split", consoleUrl: at(10), gatewayUrl: at(11), secondGatewayUrl: at(12) },
  single: { name: "single", consoleUrl: at(20), gatewayUrl: at(20) },
} satisfies Record<string, Place>;

/** The administrator of instances started for tests. */
export const admin = {
  email: process.env.SLUICE_E2E_EMAIL ?? "admin@example.com",
  password: process.env.SLUICE_E2E_PASSWORD ?? "e2e-admin-password",
};
