import type { ComponentProps } from "react";

interface ScrollRegionProps extends ComponentProps<"section"> {
  /** Accessible name. */
  label: string;
}

/** A scrolling region: named, and focusable so that it can be scrolled by keyboard. */
export function ScrollRegion({ label, ...props }: ScrollRegionProps) {
  // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
  return <section aria-label={label} tabIndex={0} {...props} />;
}
