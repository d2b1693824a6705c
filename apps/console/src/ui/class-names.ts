import { type ClassValue, clsx } from "clsx";
import { extendTailwindMerge } from "tailwind-merge";

const merge = extendTailwindMerge({ extend: { classGroups: { "font-size": [{ text: ["2xs"] }] } } });

/** Joins class names; the last of two that set the same property wins. */
export function cn(...names: ClassValue[]): string {
  return merge(clsx(names));
}
