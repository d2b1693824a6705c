import { MOST_VITALS, measuredPages, type Vital } from "@sluice/core/vitals";
import type { AnyRouter } from "@tanstack/react-router";

/** Maximum reporting rate; measurements that do not fit into a report are dropped. */
const REPORT_EVERY_MS = 60_000;

/**
 * Measures how long the console takes to load and to change pages, and reports it in one small request when the tab is hidden or left,
 * never while it is in use. Returns a function that ends it.
 */
export function measureVitals(router: AnyRouter): () => void {
  const held: Vital[] = [];
  let leftAtMs: number | null = null;
  let reportedAtMs = Number.NEGATIVE_INFINITY;

  function take(name: Vital["name"], ms: number, page = pageOf(location.pathname)): void {
    if (held.length < MOST_VITALS) held.push({ name, page, ms: Math.max(0, Math.round(ms * 10) / 10) });
  }

  function report(): void {
    const now = performance.now();
    if (document.visibilityState !== "hidden" || held.length === 0 || now - reportedAtMs < REPORT_EVERY_MS) return;
    reportedAtMs = now;
    // Bypasses the API client, which treats every mutation as a change and would reload its noun.
    const body = JSON.stringify({ json: { vitals: held.splice(0) } });
    const headers = { "content-type": "application/json" };
    void fetch("/trpc/system.reportVitals", { method: "POST", body, headers, keepalive: true }).catch(() => undefined);
  }

  const [load] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  // The user may have left the page by now.
  const loaded = pageOf(URL.parse(load?.name ?? "")?.pathname ?? "");
  if (load) take("ttfb", load.responseStart, loaded);
  const paints = new PerformanceObserver((list) => {
    for (const { name, startTime } of list.getEntries()) if (name === "first-contentful-paint") take("paint", startTime, loaded);
  });
  paints.observe({ type: "paint", buffered: true });
  const offs = [
    () => paints.disconnect(),
    router.subscribe("onBeforeNavigate", ({ pathChanged }) => {
      if (pathChanged) leftAtMs = performance.now();
    }),
    router.subscribe("onRendered", () => {
      const fromMs = leftAtMs;
      leftAtMs = null;
      // The timeout runs after this frame has been painted.
      if (fromMs !== null) requestAnimationFrame(() => setTimeout(() => take("render", performance.now() - fromMs)));
    }),
  ];
  document.addEventListener("visibilitychange", report);
  return () => {
    document.removeEventListener("visibilitychange", report);
    for (const off of offs) off();
  };
}

function pageOf(path: string): string {
  const first = path.split("/", 2)[1] ?? "";
  return (measuredPages as readonly string[]).includes(first) ? first : "other";
}
