import { SluiceError } from "@sluice/core/errors";
import type { Policies } from "@sluice/core/inputs/policies";
import { patternProblem } from "@sluice/core/routing/model-patterns";

/** Refuses model patterns that cannot be compiled, which the form does not check. @throws SluiceError `invalid_request`. */
export function checkPolicies({ models = [] }: Policies = {}): void {
  for (const pattern of models) {
    const message = patternProblem(pattern);
    if (message !== null) throw new SluiceError("invalid_request", { message, field: "policies.models" });
  }
}
