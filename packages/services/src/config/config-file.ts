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

/** YAML reads 3 and 0.075 as numbers; money is kept as the decimal text. */
const decimal = z.preprocess((value) => (typeof value === "number" ? plainDecimal(value) : value), decimalField);

/** A number without exponent, as far as doubles are exact in print. */
function plainDecimal(value: number): string {
  const text = String(value);
  return text.includes("e-") ? value.toFixed(12).replace(/0+$/, "") : text;
}

const cost = z.preprocess((value) => (typeof value === "number" ? plainDecimal(value) : value), costLimitField).optional();

/** Limits of an entry: what is not said stays as it is. */
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

/** Of a further credential; its label is how it is found again. */
const credentialEntry = z.strictObject({ label: z.string(), secret: secretField, weight: z.int().min(1).max(1000).default(1) });

// Every field but the one that identifies an entry is optional here: what the file does not say stays as it is on an
// entry that exists, and takes the default of CreateProviderInput and its like on a new one.
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
  /** Fixed, for tests and GitOps; the checksum is not demanded. */
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

/** Without an entry nothing is said of a group; an entry says all of it. */
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

/** Whoever knows the address of a webhook can post to it: it may stay out of the file as secrets may. */
const webhookEntry = z.strictObject({ url: z.union([webhookConfig.shape.url, variable]) });

const alertChannelEntry = z.discriminatedUnion("kind", [
  /** Its signing secret is said: nobody would learn of one that was made. */
  z.strictObject({ kind: z.literal("webhook"), ...channelEntry, config: webhookEntry, secret: secretField }),
  z.strictObject({ kind: z.literal("email"), ...channelEntry, config: emailConfig, secret: secretField.optional() }),
]);

/** A rule names its channels and what it looks at. */
const alertRuleEntry = UpdateAlertRuleInput.omit({ id: true, channelIds: true, scopeId: true }).extend({
  name: nameField,
  kind: z.enum(alertKinds),
  channels: z.array(nameField).max(20).optional(),
  /** Of a provider or model; a user's e-mail, `e-mail/name` of a key. */
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
