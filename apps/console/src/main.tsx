/**
 * The console: the admin's and the users' view of the gateway. It reads lists once and is pushed everything after that
 * over one stream per browser (live/); nothing here polls. It imports the API's types and the browser-safe parts of core,
 * and stands apart because it is the only room that is built and runs in a browser.
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
import { startTexts } from "./text/i18n.ts";

const Toaster = lazy(() => import("./ui/toast.tsx").then(({ Toaster: one }) => ({ default: one })));

// The browser may bring a whole page back from memory, with what another user saw on it, and with its stream dead.
window.addEventListener("pageshow", ({ persisted }) => {
  if (persisted) location.reload();
});

/** A page that takes longer to load than this begins with its skeleton, as it does when one navigates. */
const PENDING_MS = 300;

// Who is signed in, the code of the page and the texts are found out before React begins: it then draws the page at once, and
// once. Not awaited at the top: a chunk of texts that shares code with this one would wait for it, and it for the chunk, for ever.
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
