import { cn } from "./class-names.ts";
import { NativeSelect } from "./field.tsx";

interface FilterSelectProps<V extends string> {
  label: string;
  /** Absent = everything is shown. */
  value: string | undefined;
  /** Text of the choice that shows everything. */
  any: string;
  options: readonly { value: V; label: string }[];
  onChange(value: V | undefined): void;
  className?: string;
}

/** Chooses what a page shows; on a phone two stand beside each other. */
export function FilterSelect<V extends string>({ label, value = "", any, options, onChange, className }: FilterSelectProps<V>) {
  return (
    <NativeSelect
      aria-label={label}
      className={cn("w-auto max-sm:max-w-none max-sm:min-w-0 max-sm:grow max-sm:basis-[calc(50%-0.25rem)]", className)}
      value={value}
      onChange={(event) => onChange((event.target.value || undefined) as V | undefined)}
    >
      <option value="">{any}</option>
      {options.map((option) => (
        <option key={option.value} value={option.value}>
          {option.label}
        </option>
      ))}
    </NativeSelect>
  );
}
