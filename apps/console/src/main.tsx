/**
 * The console: the administrators' and users' view of the gateway. It reads lists once and receives everything after that over one stream
 * per browser (live/); nothing polls. It imports the API's types and the browser-safe parts of core. It is an app of its own because it
 * is the only code that is built and runs in a browser.
 */
import "@fontsource-variable/geist/wght.css";
import "@fontsource-variable/geist-mono/wght.css";
import "./styles.css";
import { CSPProvider } from "@base-ui/react/csp-provider";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { createRoot } from "react-dom/client";
import { queryClient } from "./api/client.ts";
import { createAppRouter } from "./router.tsx";
import { keepFocus } from "./shell/keep-focus.ts";
import { startTexts } from "./text/i18n.ts";

const Toaster = lazy(() => import("./ui/toast.tsx").then(({ Toaster: one }) => ({ default: one })));

// The browser may restore a whole page from memory, with another user's content and a dead stream.
window.addEventListener("pageshow", ({ persisted }) => {
  if (persisted) location.reload();
});

keepFocus();

/** A page that takes longer to load starts with its skeleton, as it does when navigating. */
const PENDING_MS = 300;

// Login, page code and texts are loaded before React starts, which then renders the page once and immediately. Not a top-level await: a
// text chunk that shares code with this one would wait for it, and it for the chunk, forever.
const router = createAppRouter();
const loaded = Promise.race([router.load(), new Promise((resolve) => setTimeout(resolve, PENDING_MS))]);
void Promise.all([startTexts(), loaded]).then(() => {
  const root = document.getElementById("root");
  if (!root) throw new Error("index.html has no #root");
  createRoot(root).render(
    <CSPProvider disableStyleElements>
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
        <Suspense>
          <Toaster />
        </Suspense>
      </QueryClientProvider>
    </CSPProvider>,
  );
});
