import { createStore } from "./live/store.ts";

export type Theme = "light" | "dark" | "system";

function stored(): Theme {
  try {
    const value = localStorage.getItem("sluice.theme");
    return value === "light" || value === "dark" ? value : "system";
  } catch {
    return "system";
  }
}

export const theme = createStore<Theme>(stored());
const systemDark = matchMedia("(prefers-color-scheme: dark)");

function apply(): void {
  const wanted = theme.get();
  document.documentElement.dataset.theme = wanted === "dark" || (wanted === "system" && systemDark.matches) ? "dark" : "light";
}

systemDark.addEventListener("change", apply);

/** Switches the theme and remembers it; next time theme.js applies it before the first paint. */
export function setTheme(next: Theme): void {
  try {
    localStorage.setItem("sluice.theme", next);
  } catch {
    // Storage may be unavailable: the choice then lasts for this visit.
  }
  theme.set(next);
  apply();
}
