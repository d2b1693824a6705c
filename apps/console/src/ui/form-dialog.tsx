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
  /** What the server refused that no field names. */
  failure: Failure | null;
  busy: boolean;
  /** Of the button that sends it; default "Save". */
  action?: string;
  /** The fields. */
  children: ReactNode;
}

/** A form in a dialog that is there for as long as it is shown: its fields, what was refused, and a button to send it. */
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
