import { SimulateRoutingInput } from "@sluice/core/inputs/provider";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { client } from "../../api/client.ts";
import { useNames } from "../../api/names.ts";
import type { ProviderLine } from "../../providers/provider.ts";
import { useTexts } from "../../text/i18n.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog, DialogBody, DialogFooter } from "../../ui/dialog.tsx";
import { Field, Input, NativeSelect } from "../../ui/field.tsx";
import { FailureBox } from "../../ui/states.tsx";
import { SimulatorAnswer } from "./simulator-answer.tsx";

const endpoints = {
  anthropic: ["messages", "countTokens"],
  openai: ["chat", "responses", "embeddings"],
  gemini: ["generateContent", "countTokens"],
} as const;
type Dialect = keyof typeof endpoints;

/** Asks for the gateway's decision about a hypothetical request. */
export function SimulatorDialog({ providers, onClose }: { providers: readonly ProviderLine[]; onClose(): void }) {
  const { t } = useTexts();
  const names = useNames();
  const groups = [...new Set(["default", ...providers.flatMap((provider) => provider.groups)])];
  const [keyId, setKeyId] = useState("");
  const [group, setGroup] = useState("default");
  const [dialect, setDialect] = useState<Dialect>("anthropic");
  const [endpoint, setEndpoint] = useState<string>(endpoints.anthropic[0]);
  const [model, setModel] = useState("");
  const [session, setSession] = useState("");
  const checked = SimulateRoutingInput.safeParse({
    ...(keyId ? { keyId } : { group }),
    ...{ dialect, endpoint, model: model.trim(), session: session.trim() },
  });
  const ask = useMutation({ mutationFn: (input: SimulateRoutingInput) => client.providers.simulate.query(input) });
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t("providers.sim.title")}
      description={t("providers.sim.lead")}
      width="max-w-2xl"
    >
      <form
        className="flex min-h-0 flex-1 flex-col"
        onSubmit={(event) => {
          event.preventDefault();
          if (checked.success) ask.mutate(checked.data);
        }}
      >
        <DialogBody>
          <div className="grid gap-4 sm:grid-cols-2">
            <Field label={t("providers.sim.who")}>
              {(ids) => (
                <NativeSelect {...ids} value={keyId} onChange={(event) => setKeyId(event.target.value)}>
                  <option value="">{t("providers.sim.aGroup")}</option>
                  {names.list.keys.map(({ id, name, userId }) => (
                    <option key={id} value={id}>
                      {name} · {names.user(userId)}
                    </option>
                  ))}
                </NativeSelect>
              )}
            </Field>
            {keyId === "" && (
              <Field label={t("providers.sim.group")}>
                {(ids) => (
                  <NativeSelect {...ids} value={group} onChange={(event) => setGroup(event.target.value)}>
                    {groups.map((one) => (
                      <option key={one} value={one}>
                        {one}
                      </option>
                    ))}
                  </NativeSelect>
                )}
              </Field>
            )}
            <Field label={t("providers.dialect")}>
              {(ids) => (
                <NativeSelect
                  {...ids}
                  value={dialect}
                  onChange={(event) => {
                    const next = event.target.value as Dialect;
                    setDialect(next);
                    setEndpoint(endpoints[next][0]);
                  }}
                >
                  {(Object.keys(endpoints) as Dialect[]).map((one) => (
                    <option key={one} value={one}>
                      {t(`dialect.${one}`)}
                    </option>
                  ))}
                </NativeSelect>
              )}
            </Field>
            <Field label={t("providers.sim.endpoint")}>
              {(ids) => (
                <NativeSelect {...ids} value={endpoint} onChange={(event) => setEndpoint(event.target.value)}>
                  {endpoints[dialect].map((one) => (
                    <option key={one} value={one}>
                      {one}
                    </option>
                  ))}
                </NativeSelect>
              )}
            </Field>
            <Field label={t("providers.sim.model")}>
              {(ids) => (
                <Input
                  {...ids}
                  spellCheck={false}
                  className="font-mono text-xs"
                  value={model}
                  onChange={(event) => setModel(event.target.value)}
                />
              )}
            </Field>
            <Field label={t("providers.sim.session")} hint={t("providers.sim.sessionHint")} optional={t("common.optional")}>
              {(ids) => (
                <Input
                  {...ids}
                  spellCheck={false}
                  className="font-mono text-xs"
                  value={session}
                  onChange={(event) => setSession(event.target.value)}
                />
              )}
            </Field>
          </div>
          {ask.error && <FailureBox error={ask.error} />}
          <div aria-live="polite">{ask.data && <SimulatorAnswer result={ask.data} names={names} />}</div>
        </DialogBody>
        <DialogFooter>
          <Button onClick={onClose}>{t("common.close")}</Button>
          <Button type="submit" variant="primary" busy={ask.isPending} disabled={!checked.success}>
            {t("providers.sim.run")}
          </Button>
        </DialogFooter>
      </form>
    </Dialog>
  );
}
