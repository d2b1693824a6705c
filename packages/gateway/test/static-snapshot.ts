import { defaultSettings, type Settings } from "@sluice/core/inputs/settings";
import type { PrismaClient } from "@sluice/db/postgres";
import { openSecret } from "@sluice/db/secrets";
import type { Config, Snapshot } from "@sluice/snapshot/config";
import { providerSecretPlace, testSecret } from "@sluice/testing/factories";

export async function staticSnapshot(prisma: PrismaClient, settings: Partial<Settings>): Promise<Snapshot> {
  let config: Config;
  const load = async () => {
    const [keys, users, providers, prices] = [
      await prisma.key.findMany(),
      await prisma.user.findMany(),
      await prisma.provider.findMany(),
      await prisma.price.findMany(),
    ];
    config = {
      tenantId: "default",
      version: "1",
      keysBySha256: new Map(
        keys.map((key) => [key.sha256, { ...key, enabled: key.disabledAt === null, expiresAtMs: key.expiresAt?.getTime() ?? null }]),
      ),
      users: new Map(users.map((user) => [user.id, { ...user, enabled: user.disabledAt === null, role: user.role as "admin" | "user" }])),
      providers: providers.map((p) => ({
        ...p,
        dialect: p.dialect as "openai",
        serves: p.serves as "chat"[],
        modelRedirects: p.modelRedirects as Record<string, string>,
        costMultiplier: p.costMultiplier.toString(),
      })),
      prices: new Map(
        prices.map((p) => [
          p.model,
          {
            id: p.id,
            model: p.model,
            inputPerMTok: p.inputPerMTok.toString(),
            outputPerMTok: p.outputPerMTok.toString(),
            cacheWrite5mPerMTok: p.cacheWrite5mPerMTok?.toString() ?? null,
            cacheWrite1hPerMTok: p.cacheWrite1hPerMTok?.toString() ?? null,
            cacheReadPerMTok: p.cacheReadPerMTok?.toString() ?? null,
          },
        ]),
      ),
      settings: { ...defaultSettings(), ...settings },
    };
  };
  await load();
  return {
    current: () => config,
    findKey: async (sha256) => config.keysBySha256.get(sha256) ?? null,
    secretOf: (provider) => openSecret(testSecret, provider.secret, providerSecretPlace(provider.id)),
    refresh: load,
    onChange: () => () => undefined,
    ageMs: () => 0,
    close: async () => undefined,
  };
}
