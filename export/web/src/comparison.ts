import { type Pixels, toImageData } from "./pixels";

/**
 * Two pictures, one over the other, under a divider.
 *
 * The divider is a range input as large as the pictures: keyboards and screen readers know how to use it.
 */
export class Comparison {
  private readonly noisy: HTMLCanvasElement;
  private readonly restored: HTMLCanvasElement;
  private readonly divider: HTMLInputElement;

  constructor(private readonly figure: HTMLElement) {
    this.noisy = figure.querySelector("canvas.noisy")!;
    this.restored = figure.querySelector("canvas.restored")!;
    this.divider = figure.querySelector("input")!;
    this.divider.addEventListener("input", () => this.move());
    // Not every browser lets a finger drag a range from anywhere but its thumb.
    this.divider.addEventListener("pointerdown", (event) => {
      this.divider.setPointerCapture(event.pointerId);
      this.follow(event);
    });
    this.divider.addEventListener("pointermove", (event) => {
      if (this.divider.hasPointerCapture(event.pointerId)) this.follow(event);
    });
    this.move();
  }

  /** Shows a noisy picture, and what was made of it when that is known. */
  show(noisy: Pixels, restored?: Pixels, alpha?: Uint8Array): void {
    this.figure.style.setProperty("--ratio", String(noisy.width / noisy.height));
    draw(this.noisy, noisy, alpha);
    if (restored) draw(this.restored, restored, alpha);
    this.figure.dataset["state"] = restored ? "both" : "noisy";
  }

  /** Shows a picture that stays as it is. */
  showAlone(pixels: Pixels, alpha?: Uint8Array): void {
    this.show(pixels, pixels, alpha);
    this.figure.dataset["state"] = "alone";
  }

  /** The restored picture, as a PNG. */
  toBlob(): Promise<Blob> {
    return new Promise((resolve, reject) => {
      this.restored.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no PNG was made"))), "image/png");
    });
  }

  private follow(event: PointerEvent): void {
    const { left, width } = this.divider.getBoundingClientRect();
    this.divider.value = String((100 * (event.clientX - left)) / width);
    this.move();
  }

  private move(): void {
    this.figure.style.setProperty("--divider", `${this.divider.value}%`);
  }
}

function draw(canvas: HTMLCanvasElement, pixels: Pixels, alpha?: Uint8Array): void {
  // Setting the size clears a canvas, which would flicker.
  if (canvas.width !== pixels.width) canvas.width = pixels.width;
  if (canvas.height !== pixels.height) canvas.height = pixels.height;
  canvas.getContext("2d")?.putImageData(toImageData(pixels, alpha), 0, 0);
}
