import type { ErrorRule } from "@sluice/core/inputs/error-rules";
import type { Translate } from "../../text/translator.ts";

/** The conditions of a rule in one line, without empty ones. */
export function ruleConditions(t: Translate, { statuses, body, providers, dialects }: ErrorRule): string {
  const parts = [
    statuses.length > 0 && t("settings.rules.ifStatus", { statuses: statuses.join(", ") }),
    body !== "" && t("settings.rules.ifBody", { body }),
    providers.length > 0 && t("settings.rules.ifProvider", { providers: providers.join(", ") }),
    dialects.length > 0 && t("settings.rules.ifDialect", { dialects: dialects.join(", ") }),
  ].filter(Boolean);
  return parts.length === 0 ? t("settings.rules.ifAny") : parts.join(" · ");
}

/** The effect of a rule, in one line. */
export function ruleOutcome(t: Translate, { action, status, message }: ErrorRule): string {
  const told = [status === null ? "" : String(status), message && `“${message}”`].filter(Boolean).join(" ");
  return [t(`settings.rules.action.${action}`), told].filter(Boolean).join(" · ");
}
