import { Menu as Base } from "@base-ui/react/menu";
import { Check } from "lucide-react";
import type { ReactElement, ReactNode } from "react";
import { useTexts } from "../text/i18n.ts";
import { cn } from "./class-names.ts";
import { exposeFocusGuards } from "./focus-guards.ts";

const item =
  "flex min-h-8 cursor-default select-none items-center gap-2 rounded-md px-2.5 py-1 text-sm text-ink outline-none data-disabled:opacity-50 data-highlighted:bg-selected forced-colors:data-highlighted:outline-2 forced-colors:data-highlighted:-outline-offset-2 forced-colors:data-highlighted:outline-solid [&_svg]:size-4 [&_svg]:shrink-0 [&_svg]:text-ink-3";

interface MenuProps {
  trigger: ReactElement;
  children: ReactNode;
  side?: "top" | "bottom" | "right";
  align?: "start" | "center" | "end";
  initiallyOpen?: boolean;
}

/** A menu of actions for a button. It is rendered outside the page's landmarks and therefore needs one of its own. */
export function Menu({ trigger, children, side = "bottom", align = "end", initiallyOpen = false }: MenuProps) {
  const { t } = useTexts();
  return (
    <Base.Root modal={false} defaultOpen={initiallyOpen}>
      <Base.Trigger render={trigger} />
      <Base.Portal role="region" aria-label={t("common.menu")}>
        <Base.Positioner side={side} align={align} sideOffset={6} collisionPadding={8} className="z-50 outline-none">
          <Base.Popup
            ref={exposeFocusGuards}
            className="min-w-44 rounded-lg border border-line bg-raised p-1 shadow-pop outline-none transition-opacity duration-100 data-ending-style:opacity-0 data-starting-style:opacity-0"
          >
            {children}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}

interface AnchoredMenuProps {
  /** The element it belongs to; null closes it. */
  anchor: Element | null;
  label: string;
  onClose(): void;
  children: ReactNode;
}

/** A menu of actions beside an element that is not its button. The focus returns to that element. */
export function AnchoredMenu({ anchor, label, onClose, children }: AnchoredMenuProps) {
  const { t } = useTexts();
  return (
    <Base.Root modal={false} open={anchor !== null} onOpenChange={(open) => !open && onClose()}>
      <Base.Portal role="region" aria-label={t("common.menu")}>
        <Base.Positioner anchor={anchor} side="bottom" align="start" sideOffset={2} collisionPadding={8} className="z-50 outline-none">
          <Base.Popup
            ref={exposeFocusGuards}
            aria-label={label}
            finalFocus={() => (anchor instanceof HTMLElement ? anchor : null)}
            className="min-w-44 max-w-80 rounded-lg border border-line bg-raised p-1 shadow-pop outline-none"
          >
            {children}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}

export function MenuItem({ children, onClick, danger = false }: { children: ReactNode; onClick(): void; danger?: boolean }) {
  return (
    <Base.Item onClick={onClick} className={cn(item, danger && "text-bad [&_svg]:text-bad")}>
      {children}
    </Base.Item>
  );
}

export function MenuSeparator() {
  return <Base.Separator className="mx-1 my-1 h-px bg-line" />;
}

interface MenuChoiceProps {
  label: string;
  value: string;
  onChange(value: string): void;
  options: readonly { value: string; label: ReactNode }[];
}

/** A choice among a few options, inside a menu. */
export function MenuChoice({ label, value, onChange, options }: MenuChoiceProps) {
  return (
    <Base.Group>
      <Base.GroupLabel className="px-2.5 pt-1.5 pb-1 text-xs text-ink-3">{label}</Base.GroupLabel>
      <Base.RadioGroup value={value} onValueChange={(next: string) => onChange(next)}>
        {options.map((option) => (
          <Base.RadioItem key={option.value} value={option.value} closeOnClick className={cn(item, "justify-between")}>
            <span className="flex items-center gap-2">{option.label}</span>
            <Base.RadioItemIndicator>
              <Check aria-hidden="true" />
            </Base.RadioItemIndicator>
          </Base.RadioItem>
        ))}
      </Base.RadioGroup>
    </Base.Group>
  );
}
