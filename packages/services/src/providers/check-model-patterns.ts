import { SluiceError } from "@sluice/core/errors";
import { patternProblem } from "@sluice/core/routing/model-patterns";
import { type ModelRedirects, redirectList } from "@sluice/core/routing/model-redirects";

/** Refuses patterns that cannot be compiled, naming their field. @throws SluiceError `invalid_request`. */
export function checkModelPatterns({
  models = [],
  modelRedirects = [],
}: {
  models?: readonly string[];
  modelRedirects?: ModelRedirects;
}): void {
  const check = (patterns: readonly string[], field: string): void => {
    for (const pattern of patterns) {
      const message = patternProblem(pattern);
      if (message !== null) throw new SluiceError("invalid_request", { message, field });
    }
  };
  check(models, "models");
  check(
    redirectList(modelRedirects).map(({ from }) => from),
    "modelRedirects",
  );
}
