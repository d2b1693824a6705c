/** Where the instances under test listen. */
export interface Place {
  name: string;
  consoleUrl: string;
  gatewayUrl: string;
}

export const upstreamPort = 4110;

export const places = {
  split: { name: "split", consoleUrl: "http://127.0.0.1:4120", gatewayUrl: "http://127.0.0.1:4121" },
  single: { name: "single", consoleUrl: "http://127.0.0.1:4130", gatewayUrl: "http://127.0.0.1:4130" },
} satisfies Record<string, Place>;

/** The administrator that instances started for tests have. */
export const admin = {
  email: process.env.SLUICE_E2E_EMAIL ?? "admin@example.com",
  password: process.env.SLUICE_E2E_PASSWORD ?? "e2e-admin-password",
};
