import type { Outputs } from "../api/client.ts";

/** A provider with all fields. */
export type Provider = Outputs["providers"]["get"];

/** A provider as the list shows it. */
export type ProviderLine = Outputs["providers"]["bootstrap"]["providers"][number];
