import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { extname, join } from "node:path";
import { expect } from "@playwright/test";
import { give, isRestored, OUT, test, visit } from "./page";

const TYPES: Record<string, string> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".png": "image/png",
};

/** Any server of files: it knows nothing of the page. */
function serveFiles(folder: string): Promise<Server> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url!, "http://localhost");
    const file = pathname.endsWith("/") ? `${pathname}index.html` : pathname;
    try {
      const content = readFileSync(join(folder, file));
      response.setHeader("Content-Type", TYPES[extname(file)] ?? "application/octet-stream").end(content);
    } catch {
      response.writeHead(404).end();
    }
  });
  return new Promise((resolve) => server.listen(0, "localhost", () => resolve(server)));
}

// Browsers ask for new versions in vain, and for the icon of a bare picture.
test.use({ complaints: /^Failed to load resource: (net::ERR_CONNECTION_REFUSED|.* 404 )/ });

test("after the first visit it works without the server", async ({ page }) => {
  const server = await serveFiles(`${OUT}/page`);
  const { port } = server.address() as { port: number };
  await visit(page, `http://localhost:${port}/`);
  await page.evaluate(() => caches.open("kerasgan-page-/-of-old"));
  await page.evaluate(() => navigator.serviceWorker.ready);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await page.reload();
  await isRestored(page);
  await give(page, "color.png");
  await isRestored(page);
});

test("a new version takes the place of the old one, and of no other page", async ({ page }) => {
  const server = await serveFiles(`${OUT}/page`);
  const { port } = server.address() as { port: number };
  await page.goto(`http://localhost:${port}/sample.png`);
  await page.evaluate(async () => {
    await caches.open("kerasgan-page-/-of-old");
    await caches.open("kerasgan-page-/other/-of-old");
    const models = await caches.open("kerasgan-models");
    await models.put("./bundle/int8.tflite?0123456789abcdef", new Response("a model of old"));
    await models.put("./other/bundle/int8.tflite?0123456789abcdef", new Response("another page's"));
  });
  await visit(page, `http://localhost:${port}/`);
  const kept = () =>
    page.evaluate(async () => {
      const models = await (await caches.open("kerasgan-models")).keys();
      return [(await caches.keys()).length, models.length];
    });
  // One version of each page, the one model in use, and the other page's.
  await expect.poll(kept).toEqual([3, 2]);
  server.closeAllConnections();
  server.close();
});
