import { createTestDatabase } from "@sluice/testing/postgres";
import { expect, it } from "vitest";
import { checkSecretFingerprint, secretFingerprint } from "./secrets.ts";

it("a database belongs to the SLUICE_SECRET of its first boot; another one is refused, naming the variable", async () => {
  const database = await createTestDatabase();
  const secret = "the-first-secret-0123456789-0123456789";
  await Promise.all([checkSecretFingerprint(database.pool, secret), checkSecretFingerprint(database.pool, secret)]);
  await checkSecretFingerprint(database.pool, secret);
  await expect(checkSecretFingerprint(database.pool, "another-secret-0123456789-0123456789")).rejects.toThrow(
    /SLUICE_SECRET is not the one/,
  );
  expect(await database.prisma.installation.findMany({ select: { name: true, value: true } })).toEqual([
    { name: "secret_fingerprint", value: secretFingerprint(secret) },
  ]);
  await database.drop();
});
