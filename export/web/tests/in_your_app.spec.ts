import { readFileSync, writeFileSync } from "node:fs";
import { extname } from "node:path";
import { FILES, OUT, test } from "./page";

const LITERT = "node_modules/@litertjs";
const MODULES = { imports: { "@litertjs/core": "./core.js", "@litertjs/wasm-utils": "./wasm-utils.js" } };
const TYPES: Record<string, string> = { ".js": "text/javascript", ".wasm": "application/wasm" };

/** What an app of the reader's would be served, by its address. */
function fileOf(path: string): string | Buffer {
  const document = readFileSync("../../docs/in-your-app.md", "utf-8");
  if (path === "/") return `<body><script type="importmap">${JSON.stringify(MODULES)}</script>`;
  if (path === "/snippet.js") return /```js\n(.*?)```/s.exec(document)![1]!;
  if (path === "/core.js") return readFileSync(`${LITERT}/core/dist/index.js`);
  if (path === "/wasm-utils.js") return readFileSync(`${LITERT}/wasm-utils/dist/index.js`);
  if (path.startsWith("/wasm/")) return readFileSync(`${LITERT}/core${path}`);
  return readFileSync(`${OUT}/page/bundle${path}`);
}

test("the JavaScript of docs/in-your-app.md restores a picture", async ({ page }) => {
  // Nobody listens there: every answer is made here.
  const app = "http://localhost:1";
  await page.route(`${app}/**`, (route) => {
    const { pathname } = new URL(route.request().url());
    return route.fulfill({ body: fileOf(pathname), contentType: TYPES[extname(pathname)] ?? "text/html" });
  });
  await page.goto(`${app}/`);
  const bytes = [...readFileSync(`${FILES}/window.raw`)];
  const restored = await page.evaluate(
    async ([address, values]) => {
      const snippet = await import(address);
      await snippet.ready;
      return [...(await snippet.restore(Uint8Array.from(values), 32, 32))] as number[];
    },
    [`${app}/snippet.js`, bytes] as const,
  );
  writeFileSync(`${OUT}/window.raw`, Uint8Array.from(restored));
});
