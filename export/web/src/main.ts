import { Comparison } from "./comparison";
import { controls, showAmount, showLive, showQualities, tellFailure, tellNote, tellSeen, tellStatus } from "./controls";
import { Failure, messageOf } from "./failure";
import { Camera } from "./live";
import {
  type Bundle,
  forgetOthers,
  knowsPages,
  loadModel,
  readBundles,
  removedNoise,
  runnable,
  SALT_AND_PEPPER,
} from "./manifest";
import type { Accelerator } from "./model";
import { saltAndPepper } from "./noise";
import { openPicture, type Picture } from "./picture";
import type { Pixels } from "./pixels";
import { Restorer } from "./restorer";
import { canShare, save, share } from "./sharing";

const comparison = new Comparison(controls.comparison);
let restorer: Restorer;
let bundles: Bundle[];
// What restores: the last that was loaded, and the name of its file.
let bundle: Bundle;
let fileName: string;
let picture: Picture | undefined;
let camera: Camera | undefined;
// The newest restoring, choice of a model and opening; what an older one has to tell is of no interest any more.
let newest = 0;
let choosing = 0;
let opening = 0;

/** Lets an action of a person end in a message if it fails. */
async function attempt(action: () => Promise<void>): Promise<void> {
  tellFailure("");
  try {
    await action();
  } catch (error) {
    stopLive();
    setBusy(false);
    tellStatus("");
    tellFailure(messageOf(error));
  }
}

async function start(): Promise<void> {
  if (!isSecureContext) {
    throw new Failure("Open this page over https, or from this device: browsers give it no camera and no hashes else.");
  }
  if (typeof WebAssembly !== "object") {
    throw new Failure("This browser has no WebAssembly, which restoring needs; some block it in a safe mode.");
  }
  restorer = new Restorer();
  bundles = await readBundles();
  for (const { title, folder } of bundles) controls.bundle.add(new Option(title, folder));
  controls.bundleChoice.hidden = bundles.length < 2;
  await useBundle();
  await openSample();
  // Without it, as in some private windows, the page needs the network, and nothing else is lost.
  await navigator.serviceWorker?.register("./sw.js").catch(() => undefined);
  await forgetOthers(bundles);
}

function chosenBundle(): Bundle {
  return bundles.find(({ folder }) => folder === controls.bundle.value)!;
}

/** Shows the files of the bundle that is chosen, and chooses the smallest. */
function showFiles(): void {
  const { manifest } = chosenBundle();
  const files = runnable(manifest).map(
    ([name, entry]) => new Option(`${name}, ${(entry.bytes / 1e6).toFixed(1)} MB`, name),
  );
  controls.model.replaceChildren(...files);
  // The page can add no other kind.
  controls.amountChoice.hidden = removedNoise(manifest) !== SALT_AND_PEPPER;
}

/** Takes the bundle that is chosen; tells whether nothing else was chosen meanwhile, as `useModel` does. */
async function useBundle(): Promise<boolean> {
  showFiles();
  return useModel();
}

async function useModel(): Promise<boolean> {
  const mine = ++choosing;
  tellStatus("Loading the model…");
  const chosen = chosenBundle();
  const { folder, manifest } = chosen;
  const name = controls.model.value;
  const file = manifest.files[name]!;
  let content;
  try {
    content = await loadModel(folder, file);
  } catch (error) {
    if (mine !== choosing) return false;
    showLoaded();
    throw error;
  }
  if (mine !== choosing) return false;
  const asked = controls.accelerator.value as Accelerator;
  const { accelerator, note } = await restorer.load({ content, manifest, file, accelerator: asked });
  if (mine !== choosing) return false;
  [bundle, fileName] = [chosen, name];
  controls.accelerator.value = accelerator;
  tellNote(note);
  return true;
}

/** Chooses again what goes on restoring, as something else cannot be had. */
function showLoaded(): void {
  if (!bundle) return;
  controls.bundle.value = bundle.folder;
  showFiles();
  controls.model.value = fileName;
}

async function openSample(): Promise<void> {
  const response = await fetch("./sample.png");
  await open(await response.blob(), "sample.png");
}

async function open(file: Blob, name: string): Promise<void> {
  const mine = ++opening;
  stopLive();
  tellStatus(`Opening ${name}…`);
  const opened = await openPicture(file, name);
  if (mine !== opening) return;
  picture = opened;
  controls.anyway.checked = false;
  tellSeen();
  await restorePicture();
}

/** Adds noise to the picture as the slider says, and restores it if it has what the model removes. */
async function restorePicture(): Promise<void> {
  if (!picture) return;
  const mine = ++newest;
  const { pixels, alpha } = picture;
  const noisy = withNoise(pixels, 1);
  comparison.show(noisy, undefined, alpha);
  showQualities();
  setBusy(true);
  tellStatus("Restoring…");
  const seen = await restorer.inspect({ noisy, noise: removedNoise(bundle.manifest), knowsPages: knowsPages(bundle.manifest) });
  if (mine !== newest || !seen) return;
  tellSeen(seen);
  const size = `${noisy.width}×${noisy.height} ${noisy.channels === 1 ? "grey" : "colour"}`;
  if (seen.objection && !controls.anyway.checked) {
    comparison.showAlone(noisy, alpha);
    setDone();
    tellStatus(size);
    return;
  }
  const result = await restorer.restore({ noisy, clean: noisy === pixels ? undefined : pixels }, (done) => {
    if (mine === newest) controls.progress.value = done;
  });
  if (mine !== newest || !result) return;
  comparison.show(noisy, result.restored, alpha);
  showQualities(result.before, result.after);
  setDone();
  tellStatus(`${size}, ${inTime(result.milliseconds)}`);
}

function withNoise(pixels: Pixels, seed: number): Pixels {
  const amount = controls.amountChoice.hidden ? 0 : Number(controls.amount.value);
  return amount > 0 ? saltAndPepper(pixels, amount, seed) : pixels;
}

function inTime(milliseconds: number): string {
  if (milliseconds < 100) return `${milliseconds.toFixed(1)} ms`;
  return milliseconds < 10_000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}

function setBusy(busy: boolean): void {
  controls.progress.value = 0;
  controls.progress.hidden = !busy;
  controls.cancel.disabled = !busy;
  controls.save.disabled = controls.share.disabled = true;
}

function setDone(): void {
  setBusy(false);
  controls.save.disabled = controls.share.disabled = false;
}

function cancel(): void {
  newest++;
  restorer.cancel();
  setBusy(false);
  tellStatus("Cancelled.");
}

/**
 * Restores what the camera sees, frame after frame, until stopped. It does not look for noise first: what
 * it would tell changes with every frame, and whoever points a camera at something wants to see it restored.
 */
async function runLive(): Promise<void> {
  newest++;
  const size = Object.values(bundle.manifest.signatures)[0]!;
  const mine = (camera = await Camera.open(size));
  showLive(true);
  setBusy(false);
  showQualities();
  tellSeen();
  let [seed, frames, since] = [0, 0, performance.now()];
  while (camera === mine) {
    const noisy = withNoise(mine.frame(controls.color.checked), seed++);
    const result = await restorer.restore({ noisy, clean: undefined });
    if (!result || camera !== mine) continue;
    comparison.show(noisy, result.restored);
    frames++;
    const elapsed = performance.now() - since;
    if (elapsed > 1000) {
      tellStatus(`${((1000 * frames) / elapsed).toFixed(1)} frames per second`, true);
      [frames, since] = [0, performance.now()];
    }
  }
  // Another one may have been opened meanwhile.
  mine.close();
}

function stopLive(): void {
  camera?.close();
  camera = undefined;
  showLive(false);
}

async function toggleLive(): Promise<void> {
  if (!camera) return runLive();
  stopLive();
  await restorePicture();
}

async function openFirst(files: FileList | null | undefined): Promise<void> {
  const file = files?.[0];
  if (file) await open(file, file.name);
}

function restoredName(): string {
  return `${(picture?.name ?? "picture").replace(/\.[^.]*$/, "")}_restored.png`;
}

function listen(): void {
  const onClick = (button: HTMLElement, action: () => Promise<void>) =>
    button.addEventListener("click", () => void attempt(action));
  controls.choose.addEventListener("click", () => controls.file.click());
  controls.take.addEventListener("click", () => controls.photo.click());
  for (const input of [controls.file, controls.photo]) {
    input.addEventListener("change", () => {
      void attempt(() => openFirst(input.files)).then(() => {
        // The same file may be chosen again.
        input.value = "";
      });
    });
  }
  onClick(controls.sample, openSample);
  onClick(controls.live, toggleLive);
  controls.cancel.addEventListener("click", cancel);
  onClick(controls.save, async () => save(await comparison.toBlob(), restoredName()));
  onClick(controls.share, async () => share(await comparison.toBlob(), restoredName()));
  controls.share.hidden = !canShare();
  controls.amount.addEventListener("input", showAmount);
  controls.amount.addEventListener("change", () => {
    if (!camera) void attempt(restorePicture);
  });
  controls.anyway.addEventListener("change", () => void attempt(restorePicture));
  for (const [select, use] of [
    [controls.bundle, useBundle],
    [controls.model, useModel],
    [controls.accelerator, useModel],
  ] as const) {
    select.addEventListener("change", () => {
      void attempt(async () => {
        if ((await use()) && !camera) await restorePicture();
      });
    });
  }
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    void attempt(() => openFirst(event.dataTransfer?.files));
  });
}

listen();
showAmount();
setBusy(false);
void attempt(start);
