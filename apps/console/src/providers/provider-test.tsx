import type { TestProviderInput } from "@sluice/core/inputs/provider";
import { useMutation } from "@tanstack/react-query";
import { CircleCheck, CircleX, PlugZap } from "lucide-react";
import { useId, useState } from "react";
import { api, type Outputs } from "../api/client.ts";
import { readFailure } from "../api/failure.ts";
import { formatDuration } from "../format.ts";
import { useTexts } from "../text/i18n.ts";
import { Button } from "../ui/button.tsx";
import { Input } from "../ui/field.tsx";
import { useFailureText } from "../ui/states.tsx";

type TestResult = Outputs["providers"]["test"];

interface ProviderTestProps {
  /** The test to run; null while the form is incomplete. */
  input: TestProviderInput | null;
}

/** A connection test with its result: state, time, model and the beginning of the answer stay visible beside the button. */
export function ProviderTest({ input }: ProviderTestProps) {
  const { t } = useTexts();
  const failureText = useFailureText();
  const [model, setModel] = useState("");
  const test = useMutation(api.providers.test.mutationOptions());
  const id = useId();
  const run = (): void => {
    if (input) test.mutate(model.trim() ? { ...input, model: model.trim() } : input);
  };
  return (
    <section aria-label={t("providers.test")} className="flex flex-col gap-2 rounded-lg border border-line bg-sunken p-3">
      <div className="flex flex-wrap items-end gap-2">
        <div className="min-w-40 flex-1">
          <label htmlFor={id} className="mb-1 block text-xs font-medium text-ink-2">
            {t("providers.testModel")} <span className="font-normal text-ink-3">({t("common.optional")})</span>
          </label>
          <Input
            id={id}
            aria-describedby={`${id}-hint`}
            value={model}
            spellCheck={false}
            className="font-mono text-xs"
            onChange={(event) => setModel(event.target.value)}
            onKeyDown={(event) => {
              if (event.key !== "Enter" || event.nativeEvent.isComposing) return;
              event.preventDefault();
              run();
            }}
          />
        </div>
        <Button disabled={!input} busy={test.isPending} onClick={run}>
          {!test.isPending && <PlugZap aria-hidden="true" />}
          {test.isPending ? t("providers.testing") : t("providers.test")}
        </Button>
      </div>
      <p id={`${id}-hint`} className="text-xs text-ink-3">
        {t("providers.testModelHint")}
      </p>
      <div aria-live="polite">
        {test.data && !test.isPending && <Answer result={test.data} />}
        {test.error && <p className="text-sm text-bad">{failureText(readFailure(test.error))}</p>}
      </div>
    </section>
  );
}

function Answer({ result }: { result: TestResult }) {
  const { t } = useTexts();
  const Icon = result.ok ? CircleCheck : CircleX;
  return (
    <div className="flex flex-col gap-2">
      <p className={`flex items-start gap-1.5 text-sm [overflow-wrap:anywhere] ${result.ok ? "text-ok" : "text-bad"}`}>
        <Icon aria-hidden="true" className="mt-0.5 size-4 shrink-0" />
        <span>{useHeadline(result)}</span>
      </p>
      <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1 text-xs">
        <dt className="text-ink-3">{t("providers.testStatus")}</dt>
        <dd className="tabular-nums">{result.status ?? "—"}</dd>
        <dt className="text-ink-3">{t("providers.testLatency")}</dt>
        <dd className="tabular-nums">{result.status === null ? "—" : formatDuration(result.latencyMs)}</dd>
        {result.model !== undefined && (
          <>
            <dt className="text-ink-3">{t("providers.testModel")}</dt>
            <dd className="font-mono [overflow-wrap:anywhere]">{result.model}</dd>
          </>
        )}
        {result.excerpt !== "" && (
          <>
            <dt className="text-ink-3">{t("providers.testAnswer")}</dt>
            <dd className="font-mono text-ink-2 [overflow-wrap:anywhere]">{result.excerpt}</dd>
          </>
        )}
      </dl>
    </div>
  );
}

function useHeadline(result: TestResult): string {
  const { t } = useTexts();
  const time = formatDuration(result.latencyMs);
  if (!result.ok) return [t("providers.testFailed"), result.message].join(" · ");
  if (result.model !== undefined) return t("providers.testAnswered", { model: result.model, time });
  const models = result.models ? ` · ${t("providers.testModels", { count: result.models.length })}` : "";
  return t("providers.testOk", { time }) + models;
}
