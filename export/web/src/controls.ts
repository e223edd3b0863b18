import type { Inspected } from "./protocol";
import type { Quality } from "./quality";

function element<T extends HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found as T;
}

/** What the page is operated by, and what it tells. */
export const controls = {
  choose: element<HTMLButtonElement>("choose"),
  take: element<HTMLButtonElement>("take"),
  sample: element<HTMLButtonElement>("sample"),
  live: element<HTMLButtonElement>("live"),
  file: element<HTMLInputElement>("file"),
  photo: element<HTMLInputElement>("photo"),
  comparison: element("comparison"),
  progress: element<HTMLProgressElement>("progress"),
  cancel: element<HTMLButtonElement>("cancel"),
  anyway: element<HTMLInputElement>("anyway"),
  amount: element<HTMLInputElement>("amount"),
  amountChoice: element("amount-choice"),
  color: element<HTMLInputElement>("color"),
  save: element<HTMLButtonElement>("save"),
  share: element<HTMLButtonElement>("share"),
  bundle: element<HTMLSelectElement>("bundle"),
  bundleChoice: element("bundle-choice"),
  model: element<HTMLSelectElement>("model"),
  accelerator: element<HTMLSelectElement>("accelerator"),
};

export function tellFailure(message: string): void {
  const failure = element("failure");
  failure.textContent = message;
  failure.hidden = message === "";
}

/** @param quiet keeps screen readers from reading out what changes all the time. */
export function tellStatus(message: string, quiet = false): void {
  const status = element("status");
  status.ariaLive = quiet ? "off" : "polite";
  status.textContent = message;
}

export function tellNote(message: string): void {
  element("note").textContent = message;
}

/** Tells what a picture looks like, and whether that is a reason to leave it alone; nothing clears it. */
export function tellSeen(seen?: Inspected): void {
  const sentence = seen?.objection ?? seen?.sentence ?? "";
  const done = controls.anyway.checked ? "restored anyway" : "left as it was";
  const end = seen?.objection ? `; ${done}.` : ".";
  element("seen").textContent = seen ? sentence[0]!.toUpperCase() + sentence.slice(1) + end : "";
  element("anyway-choice").hidden = !seen?.objection;
}

export function showAmount(): void {
  const percent = `${Math.round(Number(controls.amount.value) * 100)}%`;
  element("amount-shown").textContent = percent;
  controls.amount.setAttribute("aria-valuetext", percent);
}

export function showQualities(before?: Quality, after?: Quality): void {
  element("qualities").hidden = !before || !after;
  for (const [id, quality] of Object.entries({ before, after })) {
    const [psnr, ssim] = element(id).querySelectorAll("td");
    psnr!.textContent = quality ? `${quality.psnr.toFixed(2)} dB` : "";
    ssim!.textContent = quality?.ssim?.toFixed(4) ?? "";
  }
}

export function showLive(running: boolean): void {
  controls.live.setAttribute("aria-pressed", String(running));
  element("color-choice").hidden = !running;
}
