import { Switch as Base } from "@base-ui/react/switch";
import { cn } from "./class-names.ts";

interface SwitchProps {
  checked: boolean;
  onChange(checked: boolean): void;
  label: string;
  disabled?: boolean;
  id?: string;
  tabIndex?: number;
}

export function Switch({ checked, onChange, label, disabled = false, id, tabIndex = 0 }: SwitchProps) {
  return (
    <Base.Root
      id={id}
      tabIndex={tabIndex}
      checked={checked}
      onCheckedChange={onChange}
      disabled={disabled}
      aria-label={label}
      className={cn(
        "relative inline-flex h-6 w-10 shrink-0 items-center rounded-full border border-line-strong bg-sunken px-0.5 transition-colors duration-150",
        "data-checked:border-accent data-checked:bg-accent data-disabled:opacity-50",
      )}
    >
      <Base.Thumb className="block size-4.5 rounded-full bg-ink-3 shadow-sm transition-transform duration-150 data-checked:translate-x-4 data-checked:bg-on-accent" />
    </Base.Root>
  );
}
