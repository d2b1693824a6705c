import { type ClassValue, clsx } from "clsx";
import { createTailwindMerge } from "tailwind-merge";

const any = [() => true];

/**
 * The properties that the console's components let their users override, and no more: the library's list for all of Tailwind took a tenth
 * of the script time of a slow phone's first visit. Classes that are not listed are both kept. A full name goes before a value of any
 * kind.
 */
const merge = createTailwindMerge(() => ({
  cacheSize: 500,
  theme: {},
  classGroups: {
    display: ["block", "inline", "inline-block", "inline-flex", "flex", "grid", "hidden"],
    overflowX: [{ "overflow-x": any }],
    justify: [{ justify: any }],
    items: [{ items: any }],
    gap: [{ gap: any }],
    gapX: [{ "gap-x": any }],
    gapY: [{ "gap-y": any }],
    size: [{ size: any }],
    width: [{ w: any }],
    height: [{ h: any }],
    minWidth: [{ "min-w": any }],
    maxWidth: [{ "max-w": any }],
    minHeight: [{ "min-h": any }],
    maxHeight: [{ "max-h": any }],
    padding: [{ p: any }],
    paddingX: [{ px: any }],
    paddingY: [{ py: any }],
    paddingLeft: [{ pl: any }],
    paddingRight: [{ pr: any }],
    paddingTop: [{ pt: any }],
    paddingBottom: [{ pb: any }],
    fontSize: [{ text: ["2xs", "xs", "sm", "base", "lg", "xl"] }],
    textAlign: [{ text: ["left", "center", "right"] }],
    textWrap: [{ text: ["wrap", "nowrap", "balance", "pretty"] }],
    textColor: [{ text: any }],
    fontFamily: [{ font: ["sans", "mono"] }],
    fontWeight: [{ font: any }],
    leading: [{ leading: any }],
    whitespace: [{ whitespace: any }],
    background: [{ bg: any }],
    rounded: ["rounded", { rounded: any }],
    roundedTop: [{ "rounded-t": any }],
    roundedBottom: [{ "rounded-b": any }],
    borderTop: ["border-t", { "border-t": any }],
    borderBottom: ["border-b", { "border-b": any }],
    borderLeft: ["border-l", { "border-l": any }],
    borderRight: ["border-r", { "border-r": any }],
    borderX: ["border-x", { "border-x": any }],
    borderY: ["border-y", { "border-y": any }],
    borderWidth: ["border", { border: ["0", "2", "4"] }],
    borderStyle: [{ border: ["solid", "dashed"] }],
    borderColor: [{ border: any }],
  },
  conflictingClassGroups: {
    gap: ["gapX", "gapY"],
    size: ["width", "height"],
    padding: ["paddingX", "paddingY", "paddingLeft", "paddingRight", "paddingTop", "paddingBottom"],
    paddingX: ["paddingLeft", "paddingRight"],
    paddingY: ["paddingTop", "paddingBottom"],
    fontSize: ["leading"],
  },
  conflictingClassGroupModifiers: {},
  orderSensitiveModifiers: ["before", "after"],
}));

/** Joins class names; of two that set the same property, the last wins. */
export function cn(...names: ClassValue[]): string {
  return merge(clsx(names));
}
