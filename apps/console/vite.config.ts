import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { compileHints } from "./compile-hints.ts";
import { compressedCopies } from "./compressed-copies.ts";

const api = "http://127.0.0.1:4000";

// The server sends a strict CSP: no inline scripts, no data: fonts, so nothing may be inlined into the page.
export default defineConfig({
  plugins: [react(), tailwindcss(), compileHints(), compressedCopies()],
  build: {
    target: "es2023",
    assetsInlineLimit: 0,
    // What belongs to the first load is read from it (bundle-sizes.test.ts).
    manifest: true,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        codeSplitting: {
          // Over HTTP/1.1 six files are on their way at a time, and each costs a round trip: a slow line would wait longer for
          // dozens of small ones than for all that they hold.
          groups: [
            { name: "react", test: /node_modules\/(react|react-dom|scheduler)\//, priority: 4 },
            { name: "icons", test: /node_modules\/lucide-react\//, priority: 3 },
            { name: "shell", tags: ["$initial"], priority: 2 },
            { name: "popups", test: /node_modules\/@(base-ui|floating-ui)\//, priority: 1 },
          ],
        },
      },
    },
  },
  server: { proxy: { "/trpc": api, "/auth": api, "/api/": api } },
});
