import { cloneElement, lazy, type ReactElement, type ReactNode, Suspense, useState } from "react";

export interface PopoverProps {
  trigger: ReactElement<{
    onClick?(): void;
    onPointerEnter?(): void;
    onFocus?(): void;
    "aria-haspopup"?: "dialog";
    "aria-expanded"?: boolean;
  }>;
  /** Accessible name of the popup. */
  label: string;
  open?: boolean;
  onOpenChange?(open: boolean): void;
  children: ReactNode;
  className?: string;
}

const load = () => import("./popover-panel.tsx");
const PopoverPanel = lazy(() => load().then(({ PopoverPanel: one }) => ({ default: one })));

/**
 * A small panel anchored to a button. The positioning code is as large as a page, so it is loaded when the pointer or the focus comes
 * near; a click before that is not lost.
 */
export function Popover(props: PopoverProps) {
  const { trigger, open = false, onOpenChange } = props;
  const [pressed, setPressed] = useState(false);
  if (!pressed && !open) {
    const fetchEarly = (): void => void load().catch(() => undefined);
    return cloneElement(trigger, {
      "aria-haspopup": "dialog",
      "aria-expanded": false,
      onPointerEnter: fetchEarly,
      onFocus: fetchEarly,
      onClick: () => {
        setPressed(true);
        onOpenChange?.(true);
      },
    });
  }
  return (
    <Suspense fallback={trigger}>
      <PopoverPanel {...props} initiallyOpen={pressed} />
    </Suspense>
  );
}
