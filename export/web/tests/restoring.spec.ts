import { writeFileSync } from "node:fs";
import { expect } from "@playwright/test";
import { give, isLeft, isRestored, OUT, PHOTOS, restoresAfter, saveAs, setAmount, SEVERAL, shownBy, SMALL, test, visit } from "./page";

test("the sample is restored, and compared with what it was", async ({ page }) => {
  await visit(page, PHOTOS);
  const shown = await page.locator("#qualities td:not(:empty)").allTextContents();
  const noisy = await page.evaluate(() => document.querySelector<HTMLCanvasElement>("canvas.noisy")!.toDataURL());
  writeFileSync(`${OUT}/sample_noisy.png`, Buffer.from(noisy.split(",")[1]!, "base64"));
  await saveAs(page, "sample_restored.png");
  writeFileSync(`${OUT}/sample.json`, JSON.stringify(shown.map(parseFloat)));
});

// All precisions; sizes below, between and above those of the model; grey and colour.
for (const model of ["int8", "dynamic", "float16", "float32"]) {
  test(`${model} restores pictures of any size`, async ({ page }) => {
    await visit(page, SMALL);
    await setAmount(page, 0);
    await page.getByText("Settings").click();
    await page.getByLabel("File").selectOption(model);
    for (const name of ["tiny", "grey", "color", "turned", "clear"]) {
      await give(page, `${name}.${name === "turned" ? "jpg" : "png"}`);
      if (name === "turned") {
        await isLeft(page, /^Looks like impulses .*, which this model does not remove; left as it was\.$/);
        await page.getByLabel("Restore anyway").check();
      }
      await isRestored(page);
      await expect(page.locator("#qualities")).toBeHidden();
      expect(await saveAs(page, `${model}_${name}.png`)).toBe(`${name}_restored.png`);
    }
  });
}

test("one of several models is chosen @phone", async ({ page }) => {
  await visit(page, SEVERAL);
  const models = page.getByRole("combobox", { name: "Model" });
  await expect(models.getByRole("option").nth(1)).toHaveText("faces, grey, faithful (selective-fer2013)");
  await setAmount(page, 0);
  for (const [index, name] of ["first", "other"].entries()) {
    if (index) await restoresAfter(page, () => models.selectOption({ index }));
    await restoresAfter(page, () => give(page, "tiny.png"));
    await saveAs(page, `${name}_model.png`);
  }
});

test("the slider adds its share of noise, and none at 0", async ({ page }) => {
  await visit(page, SMALL);
  await give(page, "plain.png");
  for (const amount of [0, 0.3, 0.95]) {
    await setAmount(page, amount);
    if (amount > 0) await isRestored(page);
    else await isLeft(page, /^No noise is seen/);
    await expect(page.locator("#amount-shown")).toHaveText(`${Math.round(amount * 100)}%`);
    const values = (await shownBy(page, "noisy")).filter((_, i) => i % 4 === 0);
    const share = values.filter((value) => value !== 128).length / values.length;
    expect(Math.abs(share - amount)).toBeLessThan(0.02);
  }
});

test("it says what it sees, and leaves alone what has no noise @phone", async ({ page }) => {
  await visit(page, SMALL);
  const seen = page.locator("#seen");
  await expect(seen).toHaveText(/^Salt and pepper, about (49|50|51)%\.$/);
  await expect(page.getByLabel("Restore anyway")).toBeHidden();
  await setAmount(page, 0);
  for (const name of ["plain", "text"]) {
    await give(page, `${name}.png`);
    await isLeft(page, /^No noise is seen; left as it was\.$/);
    await expect(page.getByRole("slider", { name: /Divider/ })).toBeHidden();
    await saveAs(page, `left_${name}.png`);
  }
  await page.getByLabel("Restore anyway").check();
  await isRestored(page);
  await expect(seen).toHaveText(/; restored anyway\.$/);
  await page.getByLabel("Restore anyway").uncheck();
  await isLeft(page, /left as it was/);
  // What the page adds is noise like any other.
  await setAmount(page, 0.5);
  await isRestored(page);
  await expect(seen).toHaveText(/^Salt and pepper, about \d+%\.$/);
});

for (const [noise, isTaken] of [
  ["gaussian", false],
  ["sensor", true],
] as const) {
  test(`a model against other noise is given that alone: ${noise}`, async ({ page }) => {
    await page.route("**/manifest.json", async (route) => {
      const manifest = await (await route.fetch()).json();
      await route.fulfill({ json: { ...manifest, noise: { kind: noise } } });
    });
    await page.goto(SMALL);
    if (isTaken) await isRestored(page);
    else await isLeft(page, /^No noise is seen/);
    await expect(page.getByLabel("Add noise")).toBeHidden();
    await give(page, "grey.png");
    await isLeft(page, /^Salt and pepper, about 30%, which this model does not remove; left as it was\.$/);
  });
}

test("a large picture shows how far it is, and is given up when asked @phone", async ({ page }) => {
  await visit(page, SMALL);
  await give(page, "large.png");
  const progress = page.getByRole("progressbar");
  await expect.poll(() => progress.evaluate((bar: HTMLProgressElement) => bar.value)).toBeGreaterThan(0.005);
  // The page is not busy: it answers within a frame or two while the worker is.
  await page.getByRole("button", { name: "Cancel" }).click();
  await expect(page.locator("#status")).toHaveText("Cancelled.");
  await expect(progress).toBeHidden();
  await page.getByRole("button", { name: "Sample" }).click();
  await isRestored(page);
});

test("what comes later replaces what is being restored", async ({ page }) => {
  await visit(page, SMALL);
  await give(page, "large.png");
  await expect(page.getByRole("progressbar")).toBeVisible();
  await give(page, "tiny.png");
  await expect(page.locator("#status")).toHaveText(/^30×20 grey/);
});

test("a picture is dropped on the page", async ({ page }) => {
  await visit(page, SMALL);
  await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(40, 20);
    canvas.getContext("2d")!.fillRect(0, 0, 9, 9);
    const transfer = new DataTransfer();
    transfer.items.add(new File([await canvas.convertToBlob()], "dropped.png"));
    document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
  });
  await expect(page.locator("#status")).toHaveText(/^40×20/);
});
