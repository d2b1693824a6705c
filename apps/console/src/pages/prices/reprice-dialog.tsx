import { RepriceInput } from "@sluice/core/inputs/price";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, client, type Outputs } from "../../api/client.ts";
import { type Failure, readFailure } from "../../api/failure.ts";
import { formatDateTime, formatExact } from "../../format.ts";
import { serverNow } from "../../live/server-clock.ts";
import { useTexts } from "../../text/i18n.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog, DialogBody, DialogFooter } from "../../ui/dialog.tsx";
import { Field, Input, NativeSelect } from "../../ui/field.tsx";
import { FailureBox, SkeletonRows } from "../../ui/states.tsx";
import { toastDone } from "../../ui/toast.tsx";
import { RepricePreview } from "./reprice-preview.tsx";

type Preview = Outputs["prices"]["previewReprice"];

const WEEK_MS = 7 * 86_400_000;
const MINUTE_MS = 60_000;

/** Reprices a model's requests in a time range: choose version and range, preview the changes, then place the order. */
export function RepriceDialog({ model, onClose }: { model: string; onClose(): void }) {
  const { t, language } = useTexts();
  const { data: versions, error, refetch } = useQuery(api.prices.history.queryOptions({ model }));
  const [now] = useState(serverNow);
  const [priceId, setPriceId] = useState("");
  const [from, setFrom] = useState(() => localTime(now - WEEK_MS));
  const [to, setTo] = useState(() => localTime(now + MINUTE_MS));
  const [preview, setPreview] = useState<Preview | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  const [busy, setBusy] = useState(false);
  const chosen = priceId || versions?.[0]?.id;
  const change = (set: (value: string) => void) => (event: { target: { value: string } }) => {
    setPreview(null);
    setProblem(null);
    set(event.target.value);
  };

  async function send(): Promise<void> {
    const parsed = RepriceInput.safeParse({ model, priceId: chosen, fromMs: Date.parse(from), toMs: Date.parse(to) });
    if (!parsed.success) return setProblem(t("prices.reprice.badRange"));
    setBusy(true);
    setFailure(null);
    try {
      if (!preview) setPreview(await client.prices.previewReprice.query(parsed.data));
      else {
        await client.prices.reprice.mutate(parsed.data);
        toastDone(t("prices.reprice.ordered"));
        return onClose();
      }
    } catch (thrown) {
      setFailure(readFailure(thrown));
    } finally {
      setBusy(false);
    }
  }

  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t("prices.reprice.titleOf", { model })}
      description={t("prices.reprice.text")}
    >
      <DialogBody>
        {error && <FailureBox error={error} onRetry={() => void refetch()} />}
        {!versions && !error && <SkeletonRows rows={2} />}
        {versions && (
          <Field label={t("prices.reprice.version")}>
            {(ids) => (
              <NativeSelect {...ids} value={chosen} onChange={change(setPriceId)}>
                {versions.map(({ id, createdAtMs, inputPerMTok, outputPerMTok }, at) => (
                  <option key={id} value={id}>
                    {`$${inputPerMTok} / $${outputPerMTok} · ${formatDateTime(createdAtMs, language)}`}
                    {at === 0 && ` · ${t("prices.inForce")}`}
                  </option>
                ))}
              </NativeSelect>
            )}
          </Field>
        )}
        <div className="grid grid-cols-2 gap-4 max-sm:grid-cols-1">
          <Field label={t("prices.reprice.from")} error={problem ?? undefined}>
            {(ids) => <Input {...ids} type="datetime-local" value={from} onChange={change(setFrom)} />}
          </Field>
          <Field label={t("prices.reprice.to")}>
            {(ids) => <Input {...ids} type="datetime-local" value={to} onChange={change(setTo)} />}
          </Field>
        </div>
        {preview && <RepricePreview preview={preview} />}
        {failure && <FailureBox error={failure} />}
      </DialogBody>
      <DialogFooter>
        <Button onClick={onClose}>{t("common.cancel")}</Button>
        <Button variant="primary" busy={busy} disabled={!chosen || preview?.changed === 0} onClick={() => void send()}>
          {preview ? actionText() : t("prices.preview")}
        </Button>
      </DialogFooter>
    </Dialog>
  );

  function actionText(): string {
    if (!preview || preview.changed === 0) return t("prices.reprice.nothing");
    if (!preview.complete) return t("prices.reprice.all");
    return t("prices.reprice.run", { count: preview.changed, shown: formatExact(preview.changed, language) });
  }
}

function localTime(ms: number): string {
  return new Date(ms - new Date(ms).getTimezoneOffset() * MINUTE_MS).toISOString().slice(0, 16);
}
