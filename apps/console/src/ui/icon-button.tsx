import type { LucideIcon } from "lucide-react";
import { Button, type ButtonProps } from "./button.tsx";

interface IconButtonProps extends Omit<ButtonProps, "children" | "aria-label"> {
  icon: LucideIcon;
  /** What it does; also shown as its title unless there is another. */
  label: string;
}

/** A small button that is only an icon. */
export function IconButton({ icon: Icon, label, title = label, variant = "ghost", ...props }: IconButtonProps) {
  return (
    <Button variant={variant} size="iconSm" aria-label={label} title={title} {...props}>
      <Icon aria-hidden="true" />
    </Button>
  );
}
