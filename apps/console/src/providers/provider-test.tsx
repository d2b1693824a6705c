import type { TestProviderInput } from "@sluice/core/inputs/provider";
import { useMutation } from "@tanstack/react-query";
import { CircleCheck, CircleX, PlugZap } from "lucide-react";
import { useTranslation } from "react-i18next";
import { api, type Outputs } from "../api/client.ts";
import { readFailure } from "../api/failure.ts";
import { formatDuration } from "../format.ts";
import { Button } from "../ui/button.tsx";
import { useFailureText } from "../ui/states.tsx";
import { toastDone, toastFailed } from "../ui/toast.tsx";

type TestResult = Outputs["providers"]["test"];

/** What a connection test found, in words. */
function useTestText(): (result: TestResult) => string {
  const { t } = useTranslation();
  return (result) => {
    if (!result.ok) return [t("providers.testFailed"), result.status, result.message].filter(Boolean).join(" · ");
    const models = result.models ? ` · ${t("providers.testModels", { count: result.models.length })}` : "";
    return t("providers.testOk", { time: formatDuration(result.latencyMs) }) + models;
  };
}

/** Tests a stored provider from its row, and says what came back. */
export function ProviderTestButton({ id, name }: { id: string; name: string }) {
  const { t } = useTranslation();
  const text = useTestText();
  const failureText = useFailureText();
  const test = useMutation(
    api.providers.test.mutationOptions({
      onSuccess: (result) => (result.ok ? toastDone(`${name}: ${text(result)}`) : toastFailed(name, text(result))),
      onError: (error) => toastFailed(name, failureText(readFailure(error))),
    }),
  );
  return (
    <Button
      size="sm"
      busy={test.isPending}
      aria-label={`${t("providers.test")}: ${name}`}
      title={t("providers.test")}
      onClick={() => test.mutate({ id })}
    >
      {!test.isPending && <PlugZap aria-hidden="true" />}
      <span className="max-xl:hidden">{test.isPending ? t("providers.testing") : t("providers.test")}</span>
    </Button>
  );
}

interface TestLineProps {
  /** What would be tested; null while the form is not complete enough. */
  input: TestProviderInput | null;
}

/** The test inside a form: its result stays beside the button. */
export function ProviderTestLine({ input }: TestLineProps) {
  const { t } = useTranslation();
  const text = useTestText();
  const failureText = useFailureText();
  const test = useMutation(api.providers.test.mutationOptions());
  const result = test.data;
  return (
    <div className="flex min-h-8 flex-wrap items-center gap-x-3 gap-y-1.5">
      <Button disabled={!input} busy={test.isPending} onClick={() => input && test.mutate(input)}>
        {!test.isPending && <PlugZap aria-hidden="true" />}
        {test.isPending ? t("providers.testing") : t("providers.test")}
      </Button>
      <p aria-live="polite" className="min-w-0 flex-1 text-sm [overflow-wrap:anywhere]">
        {result && !test.isPending && (
          <span className={result.ok ? "text-ok" : "text-bad"}>
            {result.ok ? (
              <CircleCheck aria-hidden="true" className="mr-1 inline size-4 align-[-3px]" />
            ) : (
              <CircleX aria-hidden="true" className="mr-1 inline size-4 align-[-3px]" />
            )}
            {text(result)}
          </span>
        )}
        {test.error && <span className="text-bad">{failureText(readFailure(test.error))}</span>}
      </p>
    </div>
  );
}
