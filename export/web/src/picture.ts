import { Failure } from "./failure";
import { fromImageData, type Pixels } from "./pixels";

/** A picture as it was opened: upright, with the opacity that it came with. */
export interface Picture {
  name: string;
  pixels: Pixels;
  alpha: Uint8Array | undefined;
}

// Telephones end a page that takes much more memory than this many pixels need, about 400 MB.
export const MAX_PIXELS = 24_000_000;
const MAX_BYTES = 100_000_000;

export async function openPicture(file: Blob, name: string): Promise<Picture> {
  if (file.size > MAX_BYTES) throw new Failure(`${name} has more than ${MAX_BYTES / 1e6} MB: it is too large.`);
  let bitmap: ImageBitmap;
  try {
    // Browsers would fit colours to the screen, and blend them with the opacity: noise would not be noise.
    bitmap = await createImageBitmap(file, {
      imageOrientation: "from-image",
      colorSpaceConversion: "none",
      premultiplyAlpha: "none",
    });
  } catch {
    throw new Failure(`${name} is not a picture that this browser can open.`);
  }
  const { width, height } = bitmap;
  try {
    if (width * height > MAX_PIXELS) {
      const millions = ((width * height) / 1e6).toFixed(1);
      throw new Failure(
        `${name} is too large: it has ${millions} million pixels, and this page restores ${MAX_PIXELS / 1e6}.`,
      );
    }
    const context = contextOf(new OffscreenCanvas(width, height));
    context.drawImage(bitmap, 0, 0);
    const image = context.getImageData(0, 0, width, height);
    return { name, pixels: fromImageData(image), alpha: opacityOf(image) };
  } finally {
    bitmap.close();
  }
}

export function contextOf(canvas: OffscreenCanvas): OffscreenCanvasRenderingContext2D {
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new Failure("There is not enough memory for that picture.");
  return context;
}

function opacityOf(image: ImageData): Uint8Array | undefined {
  const alpha = Uint8Array.from({ length: image.width * image.height }, (_, i) => image.data[4 * i + 3]!);
  return alpha.some((value) => value < 255) ? alpha : undefined;
}
