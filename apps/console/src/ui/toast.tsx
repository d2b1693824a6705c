import { Toast } from "@base-ui/react/toast";
import { CircleAlert, CircleCheck, X } from "lucide-react";
import { useEffect } from "react";
import { useTexts } from "../text/i18n.ts";
import { buttonClass } from "./button.tsx";
import { cn } from "./class-names.ts";

const manager = Toast.createToastManager();

type Message = Parameters<typeof manager.add>[0];

/** Messages from before the toaster is mounted, which on a slow machine happens well after the page; they would be lost. */
const waiting: Message[] = [];
let shown = false;

function say(message: Message): void {
  if (shown) manager.add(message);
  else waiting.push(message);
}

interface ToastAction {
  label: string;
  run(): void;
}

let actions = 0;

/** Reports a success, with an optional undo action that also closes the message. */
export function toastDone(title: string, action?: ToastAction): void {
  const message = { title, type: "done", timeout: 4_000 };
  if (!action) {
    say(message);
    return;
  }
  const id = `action-${++actions}`;
  function onClick(): void {
    manager.close(id);
    action?.run();
  }
  say({ ...message, id, timeout: 8_000, actionProps: { children: action.label, onClick } });
}

/** Reports a failure. */
export function toastFailed(title: string): void {
  say({ title, type: "failed", timeout: 8_000, priority: "high" });
}

/** Mounted once, at the root. */
export function Toaster() {
  // After the provider's own effect, which starts listening.
  useEffect(() => {
    shown = true;
    for (const message of waiting.splice(0)) manager.add(message);
    return () => {
      shown = false;
    };
  }, []);
  return (
    <Toast.Provider toastManager={manager} limit={3}>
      <Toast.Portal>
        <Toast.Viewport className="fixed right-4 bottom-4 z-60 flex w-88 max-w-[calc(100vw-2rem)] flex-col gap-2 outline-none max-md:bottom-18">
          <List />
        </Toast.Viewport>
      </Toast.Portal>
    </Toast.Provider>
  );
}

function List() {
  const { t } = useTexts();
  const { toasts } = Toast.useToastManager();
  return toasts.map((toast) => {
    const failed = toast.type === "failed";
    const Icon = failed ? CircleAlert : CircleCheck;
    return (
      // The library hides failed toasts and their close button from assistive technology, because it announces them elsewhere. But both
      // are focusable, and focusable elements must not be hidden (axe: aria-hidden-focus).
      <Toast.Root
        key={toast.id}
        toast={toast}
        aria-hidden={false}
        className="rounded-lg border border-line bg-raised shadow-pop transition duration-200 data-ending-style:opacity-0 data-limited:hidden data-starting-style:translate-y-2 data-starting-style:opacity-0"
      >
        <Toast.Content className="flex items-center gap-2.5 py-2 pr-2 pl-3">
          <Icon aria-hidden="true" className={cn("size-4.5 shrink-0", failed ? "text-bad" : "text-ok")} />
          <div className="min-w-0 flex-1 py-0.5">
            <Toast.Title className="text-sm font-medium text-ink" render={<p />} />
          </div>
          {toast.actionProps && <Toast.Action className={buttonClass({ variant: "outline", size: "sm" })} />}
          <Toast.Close aria-hidden={false} aria-label={t("common.close")} className={buttonClass({ variant: "ghost", size: "iconSm" })}>
            <X aria-hidden="true" />
          </Toast.Close>
        </Toast.Content>
      </Toast.Root>
    );
  });
}
