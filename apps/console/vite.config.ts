import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { compileHints } from "./compile-hints.ts";
import { compressedCopies } from "./compressed-copies.ts";

const api = "http://127.0.0.1:4000";

/** Code of dialogs and menus, and our components built on it. */
const popups = /\/@(base-ui|floating-ui)\/|\/src\/ui\/(dialog|form-dialog|menu|popover-panel|snippets|switch|tabs|toast)\.tsx$/;
const tables = /\/@tanstack\/(react-table|table-core)\/|\/src\/ui\/(card|data)-table\.tsx$/;
const forms = /\/node_modules\/(react-hook-form|zod)\/|\/src\/ui\/use-input-form\.ts$/;
/** Small modules that several pages share. */
const parts =
  /\/lucide-react\/|\/@tanstack\/(query-core|react-query)\/|\/core\/src\/[\w-]+\.ts$|\/console\/src\/(api|limits|live|ranges|ui)\//;
const isPart = (id: string): boolean => parts.test(id) && ![popups, tables, forms].some((others) => others.test(id));

// The server sends a strict CSP (no inline scripts, no data: fonts), so nothing may be inlined into the page.
export default defineConfig({
  plugins: [react(), tailwindcss(), compileHints(), compressedCopies()],
  build: {
    target: "es2023",
    assetsInlineLimit: 0,
    // bundle-sizes.test.ts reads the files of the first load from it.
    manifest: true,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        codeSplitting: {
          // Over HTTP/1.1 six files are transferred at a time, and each costs a round trip and a preload link: a page should be a few
          // files. A group includes what its modules import, hence the order: what pages share imports none of the heavy ones.
          groups: [
            { name: "react", test: /\/node_modules\/(react|react-dom|scheduler)\//, priority: 6 },
            { name: "shell", tags: ["$initial"], priority: 5 },
            { name: "forms", test: forms, priority: 4 },
            { name: "parts", test: isPart, minShareCount: 2, maxModuleSize: 10_000, priority: 3 },
            { name: "popups", test: popups, priority: 2 },
            { name: "tables", test: tables, priority: 2 },
            { name: "rows", test: /\/@tanstack\/(react-virtual|virtual-core)\//, priority: 2 },
            { name: "lists", test: /\/console\/src\/lists\//, minShareCount: 2, priority: 1 },
          ],
        },
      },
    },
  },
  server: { proxy: { "/trpc": api, "/auth": api, "/api/": api } },
});
