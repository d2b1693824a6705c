import { AuditFilter } from "@sluice/core/inputs/audit";
import { expect, it } from "vitest";
import { AuditSearch, auditFilter } from "./search.ts";

it("passes over what is longer than the server takes", () => {
  for (const [field, length] of Object.entries({ actor: 64, action: 80, kind: 40, target: 200 })) {
    const longest = AuditSearch.parse({ [field]: "x".repeat(length) });
    expect(Object.keys(longest)).toEqual([field]);
    expect(AuditFilter.safeParse(auditFilter(longest, 0)).success).toBe(true);
    expect(AuditSearch.parse({ [field]: "x".repeat(length + 1) })).toEqual({});
  }
});
