import AxeBuilder from "@axe-core/playwright";
import { expect, type Page } from "@playwright/test";
import { give, isRestored, OUT, PHOTOS, SEVERAL, shownBy, SMALL, test, visit } from "./page";

const divider = (page: Page) => page.getByRole("slider", { name: /Divider/ });

test("the divider follows keys and the pointer @phone", async ({ page }) => {
  await visit(page, SMALL);
  const cut = () =>
    page.evaluate(() => getComputedStyle(document.querySelector("canvas.restored")!).clipPath.replaceAll("0px ", ""));
  await divider(page).focus();
  await page.keyboard.press("ArrowRight");
  await expect(divider(page)).toHaveValue("51");
  expect(await cut()).toContain("51%");
  await page.keyboard.press("Home");
  expect(await cut()).toMatch(/0(px|%)/);
  const box = (await divider(page).boundingBox())!;
  const [y, from, to] = [box.y + box.height / 2, box.x + box.width * 0.5, box.x + box.width * 0.8];
  await page.mouse.move(from, y);
  await page.mouse.down();
  await page.mouse.move(to, y);
  await page.mouse.up();
  await expect(divider(page)).toHaveValue("80");
});

test("the divider follows a finger @phone", async ({ page, hasTouch }) => {
  test.skip(!hasTouch, "for a touch screen");
  await visit(page, SMALL);
  await divider(page).scrollIntoViewIfNeeded();
  const box = (await divider(page).boundingBox())!;
  await page.touchscreen.tap(box.x + box.width * 0.25, box.y + box.height / 2);
  await expect(divider(page)).toHaveValue("25");
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`everybody can use it, ${colorScheme} @phone`, async ({ page }) => {
    await page.emulateMedia({ colorScheme });
    await visit(page, SEVERAL);
    await page.getByText("Settings").click();
    expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
    await give(page, "note.png");
    await expect(page.getByRole("alert")).toBeVisible();
    expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
    // Nothing is wider than the screen.
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
  });
}

test.describe("with a camera", () => {
  test.use({ permissions: ["camera"] });

  test("what it sees is restored, frame after frame @phone", async ({ page }) => {
    await visit(page, SMALL);
    const live = page.getByRole("button", { name: "Live camera" });
    await live.click();
    await expect(page.locator("#status")).toHaveText(/^\d+\.\d frames per second$/);
    await page.getByLabel("Colour").check();
    const colours = async () => (await shownBy(page, "restored")).some((value, i, all) => i % 4 === 0 && value !== all[i + 1]);
    await expect.poll(colours).toBe(true);
    await live.click();
    await isRestored(page);
    await expect(live).toHaveAttribute("aria-pressed", "false");
  });
});

test("it looks as in its README @phone", async ({ page }, { project }) => {
  await visit(page, PHOTOS);
  await page.screenshot({ path: `${OUT}/${project.name}.png`, fullPage: true, scale: "css" });
});
