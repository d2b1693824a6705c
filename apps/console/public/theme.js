// Runs before the first paint, so that neither theme nor language ever flashes. External because the CSP forbids inline scripts.
(() => {
  const root = document.documentElement;
  let theme = "system";
  let language = "";
  try {
    theme = localStorage.getItem("sluice.theme") || "system";
    language = localStorage.getItem("sluice.language") || "";
  } catch {
    // Storage may be forbidden; the system's preference still holds.
  }
  const dark = theme === "dark" || (theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  root.dataset.theme = dark ? "dark" : "light";
  // The CSP forbids eval. Without this zod tries it once, where a schema is made first, and the browser reports a violation;
  // said here because the order in which the parts of a build run is the bundler's.
  globalThis.__zod_globalConfig = { jitless: true };
  root.lang = language || (navigator.language.toLowerCase().startsWith("zh") ? "zh-CN" : "en");
  // Asked while the application is still on its way; api/current-login takes the answer.
  globalThis.sluiceLogin = fetch("/trpc/logins.current", { credentials: "same-origin" });
  globalThis.sluiceLogin.catch(() => undefined);
})();
