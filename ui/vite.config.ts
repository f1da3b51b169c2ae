import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [svelte()],
  // The catalogues stand beside `ui`, because Rust reads them too.
  server: { fs: { allow: [".."] }, proxy: { "/call": "http://127.0.0.1:4400", "/signals": "http://127.0.0.1:4400" } },
  build: {
    outDir: "dist",
    // `light-dark()` and logical floats stay as they are written; every webview that Tauri runs in knows them.
    target: ["chrome123", "safari17.5"],
    // A `data:` font or picture would be refused by `font-src 'self'`.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  // Svelte's browser build, also where a test runs in Node.
  resolve: process.env.VITEST ? { conditions: ["browser"] } : {},
  test: { environment: "happy-dom", environmentOptions: { happyDOM: { width: 1280, height: 800 } }, include: ["tests/**/*.test.ts"], setupFiles: ["tests/setup.ts"] },
});
