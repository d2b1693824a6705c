import type { ProviderLine } from "../../providers/provider.ts";

/** What somebody wants done with one provider. */
export type ProviderAct =
  | { kind: "edit" | "test" | "clone" | "override" | "lift" | "reset" | "history" | "delete"; provider: ProviderLine }
  | { kind: "enable"; provider: ProviderLine; enabled: boolean };
