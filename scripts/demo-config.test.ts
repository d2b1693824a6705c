import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { readConfig } from "@sluice/services/config/read-config";
import { checkoutDir } from "@sluice/testing/checkout";
import { makeDataDir } from "@sluice/testing/server-process";
import { expect, it } from "vitest";
import { demoConfig } from "./demo-config.mjs";

it("npm run demo finds its providers at whatever port they are started on", async () => {
  const data = makeDataDir();
  try {
    const ports = async (upstreamPort: string) => {
      const { config } = readConfig(await readFile(demoConfig(checkoutDir, data.path, upstreamPort), "utf8"));
      return config.providers.map(({ baseUrl }) => new URL(baseUrl).port);
    };
    for (const port of ["4010", "4711", "4712", "4010"]) expect(await ports(port)).toEqual([port, port, port, port]);
    expect(await readFile(join(checkoutDir, "apps/upstream/demo.yaml"), "utf8")).toContain("4010");
  } finally {
    await data.remove();
  }
});
