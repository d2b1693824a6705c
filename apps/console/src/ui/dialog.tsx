import { AlertDialog as BaseAlert } from "@base-ui/react/alert-dialog";
import { Dialog as Base } from "@base-ui/react/dialog";
import { X } from "lucide-react";
import { type ReactNode, useRef } from "react";
import { useTexts } from "../text/i18n.ts";
import { Button, type ButtonProps, buttonClass } from "./button.tsx";
import { cn } from "./class-names.ts";

const backdrop = "fixed inset-0 z-40 bg-shade transition-opacity duration-150 data-ending-style:opacity-0 data-starting-style:opacity-0";
const popup =
  "fixed left-1/2 top-[8vh] z-50 flex max-h-[84vh] w-[calc(100vw-2rem)] -translate-x-1/2 flex-col rounded-xl border border-line bg-raised shadow-pop outline-none transition duration-150 data-ending-style:translate-y-1 data-ending-style:opacity-0 data-starting-style:translate-y-1 data-starting-style:opacity-0 max-sm:top-auto max-sm:bottom-0 max-sm:left-0 max-sm:max-h-[92dvh] max-sm:w-full max-sm:translate-x-0 max-sm:rounded-b-none";

const field = "input:not([type=hidden], [readonly], :disabled), select:not(:disabled), textarea:not([readonly], :disabled)";

interface DialogProps {
  open: boolean;
  onOpenChange(open: boolean): void;
  title: ReactNode;
  description?: ReactNode;
  children: ReactNode;
  /** Tailwind width, `max-w-*`. */
  width?: string;
  /** False keeps it open when the backdrop is clicked: for secrets shown once. */
  dismissible?: boolean;
}

/** A modal dialog; on narrow screens a sheet from the bottom. */
export function Dialog({ open, onOpenChange, title, description, children, width = "max-w-lg", dismissible = true }: DialogProps) {
  const { t } = useTexts();
  const box = useRef<HTMLDivElement>(null);
  // A form begins with its first field; on a touch screen that would raise the keyboard over it.
  const firstField = (how: string) => (how === "touch" ? true : (box.current?.querySelector<HTMLElement>(field) ?? true));
  return (
    <Base.Root open={open} onOpenChange={onOpenChange} disablePointerDismissal={!dismissible}>
      <Base.Portal>
        <Base.Backdrop className={backdrop} />
        <Base.Popup ref={box} initialFocus={firstField} className={cn(popup, width)}>
          <header className="flex items-start justify-between gap-4 px-5 pt-4 pb-1">
            <div className="min-w-0">
              <Base.Title className="text-lg font-semibold tracking-tight">{title}</Base.Title>
              {description && <Base.Description className="mt-0.5 text-sm text-ink-2">{description}</Base.Description>}
            </div>
            {dismissible && (
              <Base.Close aria-label={t("common.close")} className={buttonClass({ variant: "ghost", size: "iconSm" }, "-mr-1.5")}>
                <X aria-hidden="true" />
              </Base.Close>
            )}
          </header>
          {children}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}

/** The scrolling middle of a dialog. */
export function DialogBody({ children, className }: { children: ReactNode; className?: string }) {
  return <div className={cn("flex min-h-0 flex-1 flex-col gap-4 overflow-y-auto px-5 py-3", className)}>{children}</div>;
}

/** The row of buttons that ends a dialog. */
export function DialogFooter({ children }: { children: ReactNode }) {
  return <footer className="flex flex-wrap items-center justify-end gap-2 border-t border-line px-5 py-3.5">{children}</footer>;
}

interface ConfirmProps {
  open: boolean;
  onOpenChange(open: boolean): void;
  title: string;
  text: string;
  action: string;
  busy?: boolean;
  variant?: ButtonProps["variant"];
  onConfirm(): void;
}

/** Asks for confirmation of something that cannot be undone. */
export function Confirm({ open, onOpenChange, title, text, action, busy = false, variant = "danger", onConfirm }: ConfirmProps) {
  const { t } = useTexts();
  return (
    <BaseAlert.Root open={open} onOpenChange={onOpenChange}>
      <BaseAlert.Portal>
        <BaseAlert.Backdrop className={backdrop} />
        <BaseAlert.Popup className={cn(popup, "max-w-md")}>
          <div className="px-5 pt-4 pb-4">
            <BaseAlert.Title className="text-lg font-semibold tracking-tight">{title}</BaseAlert.Title>
            <BaseAlert.Description className="mt-1 text-sm text-ink-2">{text}</BaseAlert.Description>
          </div>
          <DialogFooter>
            <BaseAlert.Close className={buttonClass({ variant: "outline" })}>{t("common.cancel")}</BaseAlert.Close>
            <Button variant={variant} busy={busy} onClick={onConfirm}>
              {action}
            </Button>
          </DialogFooter>
        </BaseAlert.Popup>
      </BaseAlert.Portal>
    </BaseAlert.Root>
  );
}
