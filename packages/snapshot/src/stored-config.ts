import { defaultSettings, type SettingName, type Settings, settingSchemas } from "@sluice/core/inputs/settings";
import type { Log } from "@sluice/core/log";
import type { Config, GroupConfig, KeyConfig, PriceConfig, ProviderConfig, UserConfig } from "./config.ts";

/** A configuration as plain data: the result of a load and the content of the disk copy. Secrets stay encrypted. */
export interface StoredConfig {
  tenantId: string;
  version: string;
  keys: KeyConfig[];
  /** Hashes of recently revoked keys: refused without a query, even while Postgres is down. */
  revoked: string[];
  users: UserConfig[];
  /** Absent in disk copies of older versions. */
  groups?: GroupConfig[];
  providers: ProviderConfig[];
  prices: PriceConfig[];
  /** Only differences from the defaults, not validated. */
  settings: Record<string, unknown>;
}

/** Converts to the form used for requests. Settings that this version does not know or accept fall back to their defaults. */
export function toConfig(stored: StoredConfig, log: Log): Config {
  return {
    tenantId: stored.tenantId,
    version: stored.version,
    keysBySha256: new Map(stored.keys.map((key) => [key.sha256, key])),
    users: new Map(stored.users.map((user) => [user.id, user])),
    groups: new Map(stored.groups?.map((group) => [group.name, group])),
    providers: stored.providers,
    prices: new Map(stored.prices.map((price) => [price.model, price])),
    settings: readSettings(stored.settings, log),
  };
}

function readSettings(values: Record<string, unknown>, log: Log): Settings {
  const settings: Record<string, unknown> = defaultSettings();
  for (const [name, value] of Object.entries(values)) {
    if (!Object.hasOwn(settingSchemas, name)) continue;
    const parsed = settingSchemas[name as SettingName].safeParse(value);
    if (parsed.success) settings[name] = parsed.data;
    else log.warn({ setting: name }, "a stored setting is not valid; its default is in force");
  }
  return settings as Settings;
}
