import { alertKinds } from "@sluice/core/alerts/alert-kinds";
import { alertLanguages, emailConfig, UpdateAlertRuleInput, webhookConfig } from "@sluice/core/inputs/alert";
import { billingField } from "@sluice/core/inputs/credit";
import { SetGroupInput } from "@sluice/core/inputs/group";
import { changedLimitFields, costLimitField } from "@sluice/core/inputs/limits";
import { policiesField } from "@sluice/core/inputs/policies";
import { PriceInput } from "@sluice/core/inputs/price";
import { CreateProviderInput, decimalField, groupField, nameField } from "@sluice/core/inputs/provider";
import { changedProviderOptions } from "@sluice/core/inputs/provider-options";
import { UpdateSettingsInput } from "@sluice/core/inputs/settings";
import { emailField, roleField } from "@sluice/core/inputs/user";
import { z } from "zod";

const variable = z.strictObject({ env: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "a variable's name") });

/** A value, or the name of the environment variable that holds it. */
const secretField = z.union([z.string().min(1).max(4096), variable]);
export type SecretField = z.infer<typeof secretField>;

/** YAML reads 3 and 0.075 as numbers; money is stored as decimal text. */
const decimal = z.preprocess((value) => (typeof value === "number" ? plainDecimal(value) : value), decimalField);

/** The number without an exponent, as far as a double prints exactly. */
function plainDecimal(value: number): string {
  const text = String(value);
  return text.includes("e-") ? value.toFixed(12).replace(/0+$/, "") : text;
}

const cost = z.preprocess((value) => (typeof value === "number" ? plainDecimal(value) : value), costLimitField).optional();

/** Limits of an entry; an absent one stays as it is. */
const limitEntries = {
  rpm: changedLimitFields.rpm,
  tpm: changedLimitFields.tpm,
  inFlight: changedLimitFields.inFlight,
  cost5hUsd: cost,
  costDayUsd: cost,
  costWeekUsd: cost,
  costMonthUsd: cost,
  costTotalUsd: cost,
};

/** An additional credential, identified by its label. */
const credentialEntry = z.strictObject({ label: z.string(), secret: secretField, weight: z.int().min(1).max(1000).default(1) });

// Every field except the identifying one is optional here: an absent field keeps its value on an existing entry, and takes the default of
// its create input (such as CreateProviderInput) on a new one.
const providerEntry = z.strictObject({
  ...z.strictObject(CreateProviderInput.shape).partial().shape,
  name: nameField,
  dialect: CreateProviderInput.shape.dialect,
  baseUrl: CreateProviderInput.shape.baseUrl,
  secret: secretField,
  serves: CreateProviderInput.shape.serves.unwrap().optional(),
  groups: CreateProviderInput.shape.groups.unwrap().optional(),
  priority: CreateProviderInput.shape.priority.unwrap().optional(),
  weight: CreateProviderInput.shape.weight.unwrap().optional(),
  models: CreateProviderInput.shape.models.unwrap().optional(),
  modelRedirects: CreateProviderInput.shape.modelRedirects.unwrap().optional(),
  costMultiplier: decimal.optional(),
  enabled: z.boolean().optional(),
  ...changedProviderOptions,
  credentials: z.array(credentialEntry).max(50).optional(),
  proxy: secretField.nullable().optional(),
  ...limitEntries,
});

const keyEntry = z.strictObject({
  name: nameField,
  group: groupField.optional(),
  policies: policiesField.optional(),
  /** A fixed secret, for tests and GitOps; its checksum is not verified. */
  key: secretField.optional(),
  ...limitEntries,
});

const userEntry = z.strictObject({
  email: emailField,
  name: nameField.optional(),
  role: roleField.optional(),
  billing: billingField.optional(),
  policies: policiesField.optional(),
  ...limitEntries,
  keys: z.array(keyEntry).max(1_000).default([]),
});

/** An entry replaces all settings of its group; a group without an entry stays as it is. */
const groupEntry = z.strictObject({ name: SetGroupInput.shape.name, costMultiplier: decimal.optional(), ...limitEntries });

const priceEntry = z.strictObject({
  ...PriceInput.shape,
  inputPerMTok: decimal,
  outputPerMTok: decimal,
  cacheWrite5mPerMTok: decimal.nullable().default(null),
  cacheWrite1hPerMTok: decimal.nullable().default(null),
  cacheReadPerMTok: decimal.nullable().default(null),
});

const channelEntry = { name: nameField, language: z.enum(alertLanguages).optional(), enabled: z.boolean().optional() };

/** Anyone who knows a webhook's address can post to it, so it may come from the environment like a secret. */
const webhookEntry = z.strictObject({ url: z.union([webhookConfig.shape.url, variable]) });

const alertChannelEntry = z.discriminatedUnion("kind", [
  /** Required here: a generated signing secret would be shown to nobody. */
  z.strictObject({ kind: z.literal("webhook"), ...channelEntry, config: webhookEntry, secret: secretField }),
  z.strictObject({ kind: z.literal("email"), ...channelEntry, config: emailConfig, secret: secretField.optional() }),
]);

/** A rule refers to its channels and its subject by name. */
const alertRuleEntry = UpdateAlertRuleInput.omit({ id: true, channelIds: true, scopeId: true }).extend({
  name: nameField,
  kind: z.enum(alertKinds),
  channels: z.array(nameField).max(20).optional(),
  /** Name of a provider or model, e-mail of a user, or `e-mail/name` of a key. */
  scopeName: z.string().trim().min(1).max(500).optional(),
});

const alerts = z.strictObject({
  channels: z.array(alertChannelEntry).max(100).default([]),
  rules: z.array(alertRuleEntry).max(100).default([]),
});

/** The configuration file; unknown fields are errors at every level. */
export const ConfigFile = z.strictObject({
  providers: z.array(providerEntry).max(1_000).default([]),
  users: z.array(userEntry).max(10_000).default([]),
  groups: z.array(groupEntry).max(1_000).default([]),
  prices: z.array(priceEntry).max(10_000).default([]),
  alerts: alerts.prefault({}),
  settings: UpdateSettingsInput.default({}),
});
export type ConfigFile = z.infer<typeof ConfigFile>;
