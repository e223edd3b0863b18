import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

// The build that runs on every browser with SIMD; the others ask for what Safari or the server lacks.
const RUNTIME = "node_modules/@litertjs/core/wasm/litert_wasm_compat_internal";
const OUT = "../../kerasgan/web";

/** Puts LiteRT's runtime beside the page: a third of its size on any server, which the page unpacks. */
function runtime(): Plugin {
  return {
    name: "runtime",
    generateBundle() {
      this.emitFile({ type: "asset", fileName: "litert/litert.js", source: readFileSync(`${RUNTIME}.js`) });
      const packed = gzipSync(readFileSync(`${RUNTIME}.wasm`), { level: 9 });
      this.emitFile({ type: "asset", fileName: "litert/litert.wasm.gz", source: packed });
    },
  };
}

/** Tells the service worker which files make up the page, and gives it a version by their content. */
function shell(): Plugin {
  return {
    name: "shell",
    enforce: "post",
    generateBundle: {
      order: "post",
      handler(_, bundle) {
        const contents = new Map<string, string | Uint8Array>(
          readdirSync("public").map((name) => [name, readFileSync(`public/${name}`)]),
        );
        for (const file of Object.values(bundle)) {
          contents.set(file.fileName, file.type === "asset" ? file.source : file.code);
        }
        const worker = bundle["sw.js"];
        if (worker?.type !== "chunk") throw new Error("there is no service worker");
        contents.delete("sw.js");
        const names = [...contents.keys()].sort();
        const hash = createHash("sha256").update(worker.code);
        for (const name of names) hash.update(name).update(contents.get(name)!);
        worker.code = worker.code
          .replace("__FILES__", JSON.stringify(names))
          .replace("__VERSION__", JSON.stringify(hash.digest("hex").slice(0, 12)));
      },
    },
  };
}

export default defineConfig({
  base: "./",
  plugins: [runtime(), shell()],
  // LiteRT's loader calls importScripts, which module workers do not have.
  worker: { format: "iife" },
  build: {
    outDir: OUT,
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    rollupOptions: {
      input: { index: "index.html", sw: "src/sw.ts" },
      output: { entryFileNames: (chunk) => (chunk.name === "sw" ? "sw.js" : "assets/[name]-[hash].js") },
    },
  },
});
