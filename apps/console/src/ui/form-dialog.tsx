import type { FormEventHandler, ReactNode } from "react";
import type { Failure } from "../api/failure.ts";
import { useTexts } from "../text/i18n.ts";
import { Button } from "./button.tsx";
import { Dialog, DialogBody, DialogFooter } from "./dialog.tsx";
import { FailureBox } from "./states.tsx";

interface FormDialogProps {
  title: ReactNode;
  description?: ReactNode;
  /** Tailwind width, `max-w-*`. */
  width?: string;
  onSubmit: FormEventHandler<HTMLFormElement>;
  onClose(): void;
  /** A refusal by the server that belongs to no field. */
  failure: Failure | null;
  busy: boolean;
  /** Label of the submit button; default "Save". */
  action?: string;
  children: ReactNode;
}

/** A form in a dialog that is mounted while it is shown: fields, the refusal, and a submit button. */
export function FormDialog({ title, description, width, onSubmit, onClose, failure, busy, action, children }: FormDialogProps) {
  const { t } = useTexts();
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={title}
      {...(description === undefined ? {} : { description })}
      {...(width === undefined ? {} : { width })}
    >
      <form noValidate onSubmit={onSubmit} className="flex min-h-0 flex-1 flex-col">
        <DialogBody>
          {children}
          {failure && <FailureBox error={failure} />}
        </DialogBody>
        <DialogFooter>
          <Button onClick={onClose}>{t("common.cancel")}</Button>
          <Button type="submit" variant="primary" busy={busy}>
            {action ?? t("common.save")}
          </Button>
        </DialogFooter>
      </form>
    </Dialog>
  );
}
