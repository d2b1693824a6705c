import type { ReactNode } from "react";
import { cn } from "./class-names.ts";

export type Tone = "ok" | "warn" | "bad" | "accent" | "idle";

const tones: Record<Tone, string> = {
  ok: "bg-ok-soft text-ok",
  warn: "bg-warn-soft text-warn",
  bad: "bg-bad-soft text-bad",
  accent: "bg-accent-soft text-accent-ink",
  idle: "bg-idle-soft text-idle",
};

/** A state on a tinted background; add an icon, so that colour is never the only sign. */
export function Badge({ tone = "idle", children, className }: { tone?: Tone; children: ReactNode; className?: string }) {
  return (
    <span
      className={cn(
        "inline-flex h-5.5 items-center gap-1 whitespace-nowrap rounded-full px-2 text-xs font-medium [&_svg]:size-3.5",
        tones[tone],
        className,
      )}
    >
      {children}
    </span>
  );
}
