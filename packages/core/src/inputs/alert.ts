import { z } from "zod";
import { alertKindFacts, alertKinds, alertScopes, alertSeverities } from "../alerts/alert-kinds.ts";
import { PageInput } from "./page.ts";
import { nameField } from "./provider.ts";
import { scheduleField } from "./provider-options.ts";
import { sameId, uuidField } from "./uuid.ts";

const DAY_MINUTES = 1_440;

/** Windows consist of five-minute rollups; beyond a day, of hourly ones. */
const windowField = z
  .int()
  .min(5)
  .max(30 * DAY_MINUTES)
  .refine((minutes) => minutes % (minutes > DAY_MINUTES ? 60 : 5) === 0, "must be a multiple of 5 minutes, or of an hour beyond a day");

const ruleFields = {
  name: nameField,
  severity: z.enum(alertSeverities),
  /** In the kind's unit: USD, percent, ms or records. */
  threshold: z.number().positive().max(1_000_000_000),
  windowMinutes: windowField,
  /** Nothing is concluded from fewer requests in the window. */
  minimumRequests: z.int().min(1).max(1_000_000),
  scope: z.enum(alertScopes),
  /** Id of the provider, key or user, or name of the model; '' with the scope `all`. */
  scopeId: z.string().trim().max(200).overwrite(sameId),
  /** How long it must be well before it counts as resolved. */
  resolveAfterSeconds: z.int().min(0).max(86_400),
  /** Messages wait until these are over; no windows = none. */
  quietHours: scheduleField,
  /** Whether critical messages are sent during quiet hours too. */
  criticalThrough: z.boolean(),
  channelIds: z.array(uuidField).max(20),
  /** Used in place of Redis' maxmemory when that is not set. */
  capacityBytes: z
    .int()
    .min(0)
    .max(2 ** 50),
  enabled: z.boolean(),
};

export const CreateAlertRuleInput = z
  .strictObject({
    kind: z.enum(alertKinds),
    ...ruleFields,
    severity: ruleFields.severity.default("warning"),
    threshold: ruleFields.threshold.optional(),
    windowMinutes: windowField.default(15),
    minimumRequests: ruleFields.minimumRequests.default(20),
    scope: ruleFields.scope.default("all"),
    scopeId: ruleFields.scopeId.default(""),
    resolveAfterSeconds: ruleFields.resolveAfterSeconds.default(60),
    quietHours: scheduleField.default({ zone: "UTC", windows: [] }),
    criticalThrough: z.boolean().default(true),
    channelIds: ruleFields.channelIds.default([]),
    capacityBytes: ruleFields.capacityBytes.default(0),
    enabled: z.boolean().default(true),
  })
  .superRefine(checkRule)
  .transform(({ threshold, ...rule }) => ({ ...rule, threshold: threshold ?? alertKindFacts[rule.kind].threshold }));

export interface AlertRuleFields extends z.infer<z.ZodObject<typeof ruleFields>> {
  kind: (typeof alertKinds)[number];
}

/** Constraints between the fields of a rule. */
function checkRule(
  { kind, scope, scopeId, threshold }: Pick<AlertRuleFields, "kind" | "scope" | "scopeId"> & { threshold?: number | undefined },
  check: z.RefinementCtx,
): void {
  const refuse = (field: string, message: string): void => check.addIssue({ code: "custom", path: [field], message });
  const { scopes, unit, bad } = alertKindFacts[kind];
  if (!scopes.includes(scope)) refuse("scope", "is not a scope of this kind of rule");
  if (scope !== "all" && scopeId === "") refuse("scopeId", "is required with this scope");
  if (scope === "all" && scopeId !== "") refuse("scopeId", "must be empty with the scope all");
  if ((scope === "provider" || scope === "key" || scope === "user") && scopeId !== "" && !uuidField.safeParse(scopeId).success)
    refuse("scopeId", "must be an id");
  if (unit === "percent" && threshold !== undefined && (threshold > 100 || (bad === "below" && threshold === 100)))
    refuse("threshold", "must be at most 100 %");
}

/** A stored rule's fields with the changes applied. */
export const AlertRuleFields = z.strictObject({ kind: z.enum(alertKinds), ...ruleFields }).superRefine(checkRule);

/** Every field except the id is optional; the kind of a rule cannot change. */
export const UpdateAlertRuleInput = z.strictObject({ id: uuidField, ...z.object(ruleFields).partial().shape });

export const alertLanguages = ["en", "zh-CN"] as const;

/** `whsec_` and 24 to 64 bytes in base64: the Standard Webhooks form of a signing secret. */
const signingSecretField = z
  .string()
  .trim()
  .regex(/^whsec_(?:[A-Za-z0-9+/]{4}){8,21}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|)$/, "must be whsec_ and 24 to 64 bytes in base64");

const addressField = z.email().max(254);

export const webhookConfig = z.strictObject({ url: z.url({ protocol: /^https?$/ }).max(1_000) });
export const emailConfig = z.strictObject({
  host: z
    .string()
    .trim()
    .regex(/^[A-Za-z0-9.:_-]{1,253}$/, "must be a host name or address"),
  port: z.int().min(1).max(65_535),
  /** tls: from the first byte; starttls: required before anything else; none: plain text. */
  security: z.enum(["tls", "starttls", "none"]),
  /** '' = the server requires no login. */
  user: z.string().max(254),
  from: addressField,
  to: z.array(addressField).min(1).max(20),
});

const channelFields = { name: nameField, language: z.enum(alertLanguages).default("en"), enabled: z.boolean().default(true) };

export const CreateAlertChannelInput = z.discriminatedUnion("kind", [
  /** A signing secret is generated when none is given; either way it is shown once. */
  z.strictObject({ kind: z.literal("webhook"), ...channelFields, config: webhookConfig, secret: signingSecretField.optional() }),
  z.strictObject({ kind: z.literal("email"), ...channelFields, config: emailConfig, secret: z.string().min(1).max(1_000).optional() }),
]);

/** An absent secret keeps the stored one, unless it would go to another host. */
export const UpdateAlertChannelInput = z.discriminatedUnion("kind", [
  z.strictObject({
    id: uuidField,
    kind: z.literal("webhook"),
    name: nameField.optional(),
    language: z.enum(alertLanguages).optional(),
    enabled: z.boolean().optional(),
    config: webhookConfig.optional(),
    secret: signingSecretField.optional(),
  }),
  z.strictObject({
    id: uuidField,
    kind: z.literal("email"),
    name: nameField.optional(),
    language: z.enum(alertLanguages).optional(),
    enabled: z.boolean().optional(),
    config: emailConfig.optional(),
    secret: z.string().min(1).max(1_000).optional(),
  }),
]);

export const AlertIdInput = z.strictObject({ id: uuidField });

/** Past incidents, newest first. */
export const ListIncidentsInput = PageInput;
