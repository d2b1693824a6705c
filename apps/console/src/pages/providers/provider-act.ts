import type { ProviderLine } from "../../providers/provider.ts";

/** An action on one provider. */
export type ProviderAct =
  | { kind: "edit" | "test" | "clone" | "override" | "lift" | "reset" | "history" | "delete"; provider: ProviderLine }
  | { kind: "enable"; provider: ProviderLine; enabled: boolean };
