import { useState } from "react";
import { useTexts } from "../text/i18n.ts";
import { NativeSelect } from "./field.tsx";
import { type System, systemNames, systems } from "./snippet-text.ts";

/** The system that commands are written for; initially the reader's own. */
export function useSystem(): [System, (system: System) => void] {
  return useState<System>(() => (navigator.userAgent.includes("Windows") ? "powershell" : "unix"));
}

export function SystemSelect({ system, onSelect }: { system: System; onSelect(system: System): void }) {
  const { t } = useTexts();
  return (
    <NativeSelect
      aria-label={t("keys.os")}
      className="w-auto self-end"
      value={system}
      onChange={(event) => onSelect(event.target.value as System)}
    >
      {systems.map((one) => (
        <option key={one} value={one}>
          {systemNames[one]}
        </option>
      ))}
    </NativeSelect>
  );
}
