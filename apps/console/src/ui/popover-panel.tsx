import { Popover as Base } from "@base-ui/react/popover";
import { cn } from "./class-names.ts";
import { exposeFocusGuards } from "./focus-guards.ts";
import type { PopoverProps } from "./popover.tsx";

interface PopoverPanelProps extends PopoverProps {
  /** Whether it starts open, when it is uncontrolled. */
  initiallyOpen: boolean;
}

/** The popover itself, loaded on demand. */
export function PopoverPanel({ trigger, label, open, initiallyOpen, onOpenChange, children, className }: PopoverPanelProps) {
  return (
    <Base.Root open={open} defaultOpen={initiallyOpen} onOpenChange={onOpenChange}>
      <Base.Trigger render={trigger} />
      <Base.Portal>
        <Base.Positioner side="bottom" align="start" sideOffset={6} collisionPadding={8} className="z-50">
          <Base.Popup
            ref={exposeFocusGuards}
            aria-label={label}
            className={cn(
              "max-w-[calc(100vw-1rem)] rounded-lg border border-line bg-raised shadow-pop outline-none transition-opacity duration-100 data-ending-style:opacity-0 data-starting-style:opacity-0",
              className,
            )}
          >
            {children}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}
