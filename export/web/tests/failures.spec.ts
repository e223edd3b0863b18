import { expect } from "@playwright/test";
import { give, isRestored, restoresAfter, SEVERAL, shownBy, SMALL, test, visit } from "./page";

for (const [file, message] of [
  ["note.png", "note.png is not a picture that this browser can open."],
  ["empty.png", "empty.png is not a picture that this browser can open."],
  ["huge.png", "huge.png is too large: it has 25.0 million pixels, and this page restores 24."],
] as const) {
  test(`a picture that cannot be restored is named: ${file}`, async ({ page }) => {
    await visit(page, SMALL);
    await give(page, file);
    await expect(page.getByRole("alert")).toHaveText(message);
    await give(page, "tiny.png");
    await isRestored(page);
  });
}

test("a camera that is refused is named", async ({ page }) => {
  await visit(page, SMALL);
  await page.getByRole("button", { name: "Live camera" }).click();
  await expect(page.getByRole("alert")).toHaveText(/^The camera was refused: allow it/);
  await page.getByRole("button", { name: "Sample" }).click();
  await isRestored(page);
});

test("a browser without WebAssembly is told so", async ({ page }) => {
  await page.addInitScript(() => Reflect.deleteProperty(globalThis, "WebAssembly"));
  await page.goto(SMALL);
  await expect(page.getByRole("alert")).toHaveText(/^This browser has no WebAssembly/);
});

test("WebGPU that is not there is replaced, and the page says so", async ({ page }) => {
  await visit(page, SMALL);
  await page.getByText("Settings").click();
  await page.getByLabel("Runs on").selectOption("webgpu");
  await expect(page.locator("#note")).toHaveText("This browser offers no WebGPU here; WebAssembly does the work.");
  await expect(page.getByLabel("Runs on")).toHaveValue("wasm");
  await isRestored(page);
});

test("a model with another hash is refused", async ({ page }) => {
  await page.route("**/*.tflite?*", (route) => route.fulfill({ body: "something else" }));
  await page.goto(SMALL);
  await expect(page.getByRole("alert")).toHaveText(/^\w+.tflite is not the file that manifest.json lists/);
});

test.describe("what a server lacks", () => {
  test.use({ complaints: /^Failed to load resource: the server responded with a status of 404/ });

  for (const [pattern, message] of [
    ["**/bundles.json", "No model stands beside this page: its bundles.json is missing or damaged."],
    ["**/manifest.json", "No model stands beside this page: its bundle/manifest.json is missing or damaged."],
    ["**/*.tflite?*", /^Cannot load \w+.tflite: connect to the network once, and try again.$/],
    ["**/litert.wasm.gz", "Cannot load LiteRT: connect to the network once, and try again."],
  ] as const) {
    test(`is named: ${pattern}`, async ({ context, page }) => {
      await context.route(pattern, (route) => route.fulfill({ status: 404 }));
      await page.goto(SMALL);
      await expect(page.getByRole("alert")).toHaveText(message);
    });
  }
});

test.describe("of several models", () => {
  // A service worker's requests cannot be held back.
  test.use({ serviceWorkers: "block", complaints: /^Failed to load resource: .* 404|^Service Worker registration blocked/ });

  test("one that cannot be had is not shown as if it restored", async ({ context, page }) => {
    await visit(page, SEVERAL);
    const models = page.getByRole("combobox", { name: "Model" });
    const before = await models.inputValue();
    await context.route("**/*.tflite?*", (route) => route.fulfill({ status: 404 }));
    await models.selectOption({ index: 1 });
    await expect(page.getByRole("alert")).toHaveText(/^Cannot load/);
    await expect(models).toHaveValue(before);
    await restoresAfter(page, () => give(page, "tiny.png"));
  });

  test("the one that was chosen last restores, however long others take", async ({ context, page }) => {
    await visit(page, SEVERAL);
    const models = page.getByRole("combobox", { name: "Model" });
    const first = await models.inputValue();
    let letGo = () => {};
    const held = new Promise<void>((resolve) => (letGo = resolve));
    await context.route("**/*.tflite?*", async (route) => {
      await held;
      await route.continue();
    });
    await models.selectOption({ index: 1 });
    await restoresAfter(page, () => models.selectOption({ index: 0 }));
    const shown = await shownBy(page, "restored");
    const late = page.waitForResponse("**/*.tflite?*");
    letGo();
    await late;
    await expect(models).toHaveValue(first);
    await restoresAfter(page, () => page.getByRole("button", { name: "Sample" }).click());
    expect(await shownBy(page, "restored")).toEqual(shown);
  });
});

test("a model that browsers cannot run is named", async ({ page }) => {
  await page.route("**/manifest.json", async (route) => {
    const text = await (await route.fetch()).text();
    await route.fulfill({ body: text.replaceAll('"uint8"', '"int8"').replaceAll('"float32"', '"int8"') });
  });
  await page.goto(SMALL);
  await expect(page.getByRole("alert")).toHaveText(/^This model takes int8 numbers/);
});
