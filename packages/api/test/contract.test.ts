import { readFile, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { breaks, type Contract, currentContract, readContract, writeContract } from "./contract.ts";

const file = new URL("../../../docs/contract.txt", import.meta.url);

/** Recorded at each release: `SLUICE_RECORD_CONTRACT=1 npx vitest run packages/api/test/contract.test.ts`. */
const recorded = async (): Promise<Contract> => {
  if (process.env.SLUICE_RECORD_CONTRACT) await writeFile(file, writeContract(currentContract()));
  return readContract(await readFile(file, "utf8"));
};

describe("R27 the public API", () => {
  it("accepts and answers what the recorded release did: routes, errors and their shapes, procedures and their inputs", async () => {
    expect(breaks(await recorded(), currentContract())).toEqual([]);
  });

  it("reports breaking changes and allows additions", async () => {
    const before = await recorded();
    const now = structuredClone(before);
    now.procedures["keys.celebrate"] = { type: "mutation", access: "user", input: null };
    now.errors.brand_new = { status: 418, retryable: false };
    expect(breaks(before, now)).toEqual([]);
    delete now.routes["POST /v1/messages"];
    now.errors.rate_limited = { status: 503, retryable: true };
    delete now.procedures["keys.revoke"];
    const create = now.procedures["keys.create"]?.input;
    if (create) create.required = [...(create.required ?? []), "group"];
    delete now.procedures["keys.update"]?.input?.properties?.name;
    expect(breaks(before, now)).toEqual([
      'routes POST /v1/messages: "anthropic messages" became nothing',
      expect.stringContaining("errors rate_limited"),
      expect.stringContaining("procedure keys.create.group: is required now"),
      expect.stringContaining("procedure keys.update.name: is not taken any more"),
      expect.stringContaining("procedure keys.revoke"),
    ]);
  });
});
