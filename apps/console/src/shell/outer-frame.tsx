import type { ReactNode } from "react";
import { Logo } from "../ui/logo.tsx";
import { PreferencesBar } from "./preferences.tsx";

/** The frame of pages outside the shell: sign-in and setup. */
export function OuterFrame({ children, aside }: { children: ReactNode; aside?: ReactNode }) {
  return (
    <div className="flex min-h-dvh flex-col">
      <header className="flex h-14 shrink-0 items-center justify-between px-4 md:px-6">
        <span className="flex items-center gap-2.5 font-semibold tracking-tight">
          <Logo className="size-6" />
          Sluice
        </span>
        <span className="flex items-center gap-2">
          {aside}
          <PreferencesBar />
        </span>
      </header>
      <main className="flex flex-1 flex-col px-4 pb-16 md:px-6">{children}</main>
    </div>
  );
}
