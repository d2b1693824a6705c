import type { Outputs } from "../api/client.ts";

/** A provider with every field there is. */
export type Provider = Outputs["providers"]["get"];

/** A provider as the list has it. */
export type ProviderLine = Outputs["providers"]["bootstrap"]["providers"][number];
