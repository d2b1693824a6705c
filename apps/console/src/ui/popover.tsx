import { Popover as Base } from "@base-ui/react/popover";
import type { ReactElement, ReactNode } from "react";
import { cn } from "./class-names.ts";

interface PopoverProps {
  trigger: ReactElement;
  /** Accessible name of the popup. */
  label: string;
  open?: boolean;
  onOpenChange?(open: boolean): void;
  children: ReactNode;
  className?: string;
}

/** A small panel anchored to a button. */
export function Popover({ trigger, label, open, onOpenChange, children, className }: PopoverProps) {
  return (
    <Base.Root open={open} onOpenChange={onOpenChange}>
      <Base.Trigger render={trigger} />
      <Base.Portal>
        <Base.Positioner side="bottom" align="start" sideOffset={6} collisionPadding={8} className="z-50">
          <Base.Popup
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
