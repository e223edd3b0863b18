import { writeFileSync } from "node:fs";
import { expect, type Page } from "@playwright/test";
import { FACES, give, isRestored, OUT, PHOTOS, saveAs, setAmount, test, visit } from "./page";

test("what a first visit and a picture cost", async ({ page }) => {
  test.slow();
  const figures: Record<string, number> = {};
  const sizes: Promise<{ responseBodySize: number }>[] = [];
  page.on("requestfinished", (request) => sizes.push(request.sizes()));
  const started = Date.now();
  await visit(page, PHOTOS);
  figures["first_sample_ms"] = Date.now() - started;
  const fetched = await Promise.all(sizes);
  figures["first_load_bytes"] = fetched.reduce((sum, { responseBodySize }) => sum + responseBodySize, 0);
  await setAmount(page, 0);
  figures["photo_ms"] = await fastest(page, "photo.png", 3);
  await saveAs(page, "photo.png");
  await visit(page, FACES);
  await setAmount(page, 0);
  figures["face_ms"] = await fastest(page, "face.png", 10);
  writeFileSync(`${OUT}/figures.json`, JSON.stringify(figures));
});

async function fastest(page: Page, file: string, times: number): Promise<number> {
  let least = Infinity;
  for (let i = 0; i < times; i++) {
    await give(page, file);
    await isRestored(page);
    const [, number, unit] = /, ([\d.]+) (m?s)/.exec((await page.textContent("#status"))!)!;
    least = Math.min(least, Number(number) * (unit === "s" ? 1000 : 1));
  }
  expect(least).toBeLessThan(Infinity);
  return least;
}
