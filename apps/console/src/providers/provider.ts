import type { Outputs } from "../api/client.ts";

/** A provider as the bootstrap call gives it. */
export type Provider = Outputs["providers"]["bootstrap"]["providers"][number];
