// Runs before the first paint, so that neither theme nor language flashes. A separate file because the CSP forbids inline scripts.
(() => {
  const root = document.documentElement;
  let theme = "system";
  let language = "";
  try {
    theme = localStorage.getItem("sluice.theme") || "system";
    language = localStorage.getItem("sluice.language") || "";
  } catch {
    // Storage may be unavailable; the system's preference still applies.
  }
  const dark = theme === "dark" || (theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  root.dataset.theme = dark ? "dark" : "light";
  // The CSP forbids eval. Without this setting zod tries it once with the first schema, and the browser reports a violation.
  // It is set here because the bundler decides in which order the parts of a build run.
  globalThis.__zod_globalConfig = { jitless: true };
  root.lang = language || (navigator.language.toLowerCase().startsWith("zh") ? "zh-CN" : "en");
  // Requested while the application is still loading; api/current-login uses the answer.
  globalThis.sluiceLogin = fetch("/trpc/logins.current", { credentials: "same-origin" });
  globalThis.sluiceLogin.catch(() => undefined);
})();
