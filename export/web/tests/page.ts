import { type BrowserContext, expect, type Page, test as base } from "@playwright/test";

const env = (name: string): string => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run these tests by pytest tests/export/test_web.py`);
  return value;
};
/** Pages with a large and with a small model, pictures to restore, and a folder for what comes out. */
export const [PHOTOS, FACES, SMALL, SEVERAL, FILES, OUT] = [
  "PHOTOS",
  "FACES",
  "SMALL",
  "SEVERAL",
  "FILES",
  "OUT",
].map(env) as [
  string,
  string,
  string,
  string,
  string,
  string,
];
// LiteRT says all it has to say through console.error, and asks for a GPU first.
const OF_LITERT = /^(INFO|WARNING): |^Failed to create default WebGPU device|^No available adapters/;

/** A test in which the page neither complains nor asks anybody else, unless it is told what is to be expected. */
export const test = base.extend<{ complaints: RegExp; watched: void }>({
  complaints: [OF_LITERT, { option: true }],
  watched: [
    async ({ context, complaints }, use) => {
      const [said, foreign] = [watchConsole(context), watchRequests(context)];
      await use();
      expect(said.filter((text) => !OF_LITERT.test(text) && !complaints.test(text))).toEqual([]);
      expect(foreign).toEqual([]);
    },
    { auto: true },
  ],
});

function watchConsole(context: BrowserContext): string[] {
  const said: string[] = [];
  context.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) said.push(message.text());
  });
  context.on("weberror", (error) => said.push(String(error.error())));
  return said;
}

function watchRequests(context: BrowserContext): string[] {
  const foreign: string[] = [];
  context.on("request", (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (protocol !== "blob:" && hostname !== "localhost") foreign.push(request.url());
  });
  return foreign;
}

/** Opens a page, and waits until it has restored its sample. */
export async function visit(page: Page, address: string): Promise<void> {
  await page.goto(address);
  await isRestored(page);
}

export async function isRestored(page: Page): Promise<void> {
  await expect(page.locator("#failure")).toBeHidden();
  await expect(page.locator("#status")).toHaveText(/\d+×\d+ (grey|colour), [\d.]+ m?s/);
}

/** Does what leads to a restored picture, and waits for that one, whatever stood there before. */
export async function restoresAfter(page: Page, act: () => Promise<unknown>): Promise<void> {
  await page.locator("#status").evaluate((status) => (status.textContent = ""));
  await act();
  await isRestored(page);
}

/** Waits until the page has told why it leaves a picture alone. */
export async function isLeft(page: Page, reason: RegExp): Promise<void> {
  await expect(page.locator("#status")).toHaveText(/^\d+×\d+ (grey|colour)$/);
  await expect(page.locator("#seen")).toHaveText(reason);
}

export async function setAmount(page: Page, amount: number): Promise<void> {
  await page.getByLabel("Add noise").fill(String(amount));
}

/** Gives the page a picture, as a person chooses it. */
export async function give(page: Page, file: string): Promise<void> {
  await page.locator("#file").setInputFiles(`${FILES}/${file}`);
}

export async function saveAs(page: Page, name: string): Promise<string> {
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Save" }).click();
  await (await download).saveAs(`${OUT}/${name}`);
  return (await download).suggestedFilename();
}

/** What a canvas shows, as RGBA. */
export function shownBy(page: Page, canvas: "noisy" | "restored"): Promise<number[]> {
  return page.evaluate((name) => {
    const shown = document.querySelector<HTMLCanvasElement>(`canvas.${name}`)!;
    const context = new OffscreenCanvas(shown.width, shown.height).getContext("2d", { willReadFrequently: true })!;
    context.drawImage(shown, 0, 0);
    return [...context.getImageData(0, 0, shown.width, shown.height).data];
  }, canvas);
}
