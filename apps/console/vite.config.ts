import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { compressedCopies } from "./compressed-copies.ts";

const api = "http://127.0.0.1:4000";

// The server sends a strict CSP: no inline scripts, no data: fonts, so nothing may be inlined into the page.
export default defineConfig({
  plugins: [react(), tailwindcss(), compressedCopies()],
  build: {
    target: "es2023",
    assetsInlineLimit: 0,
    // What belongs to the first load is read from it (bundle-sizes.test.ts).
    manifest: true,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: "react", test: /node_modules\/(react|react-dom|scheduler)\// },
            // Dozens of files of 200 bytes otherwise.
            { name: "icons", test: /node_modules\/lucide-react\// },
          ],
        },
      },
    },
  },
  server: { proxy: { "/trpc": api, "/auth": api } },
});
