import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../api/client.ts";
import { formatSpan } from "../format.ts";
import { useTexts } from "../text/i18n.ts";
import { Button } from "../ui/button.tsx";
import { Dialog, DialogBody, DialogFooter } from "../ui/dialog.tsx";
import { Field, NativeSelect } from "../ui/field.tsx";
import { FailureBox } from "../ui/states.tsx";
import type { Key } from "./key.ts";
import type { MadeSecret } from "./secret-dialog.tsx";

const HOUR = 3_600;
const overlaps = [0, HOUR, 24 * HOUR, 72 * HOUR, 168 * HOUR];

/** Asks how long the old secret shall stay valid, then creates the new one. */
export function RotateDialog({ row, onClose, onMade }: { row: Key; onClose(): void; onMade(made: MadeSecret): void }) {
  const { t, language } = useTexts();
  const [overlapSeconds, setOverlapSeconds] = useState(24 * HOUR);
  const rotate = useMutation(api.keys.rotate.mutationOptions({ onSuccess: (made) => onMade({ ...made, rotated: true }) }));
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t("keys.rotateTitle", { name: row.name })}
      description={t("keys.rotateText")}
    >
      <DialogBody>
        <Field label={t("keys.overlap")}>
          {(ids) => (
            <NativeSelect {...ids} value={overlapSeconds} onChange={(event) => setOverlapSeconds(Number(event.target.value))}>
              {overlaps.map((seconds) => (
                <option key={seconds} value={seconds}>
                  {seconds === 0 ? t("keys.overlapNone") : formatSpan(seconds, language)}
                </option>
              ))}
            </NativeSelect>
          )}
        </Field>
        {rotate.error && <FailureBox error={rotate.error} />}
      </DialogBody>
      <DialogFooter>
        <Button onClick={onClose}>{t("common.cancel")}</Button>
        <Button variant="primary" busy={rotate.isPending} onClick={() => rotate.mutate({ id: row.id, overlapSeconds })}>
          {t("keys.rotate")}
        </Button>
      </DialogFooter>
    </Dialog>
  );
}
