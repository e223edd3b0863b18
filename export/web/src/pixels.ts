/** 8-bit pixels, row by row, the channels of a pixel side by side. */
export interface Pixels {
  width: number;
  height: number;
  channels: 1 | 3;
  data: Uint8Array<ArrayBuffer>;
}

/** One channel of a picture, as a grey picture. */
export function channelOf(pixels: Pixels, channel: number): Pixels {
  const data = new Uint8Array(pixels.width * pixels.height);
  for (let i = 0; i < data.length; i++) data[i] = pixels.data[i * pixels.channels + channel]!;
  return { ...pixels, channels: 1, data };
}

/** Writes a grey picture into one channel of another of the same size. */
export function setChannel(pixels: Pixels, channel: number, grey: Pixels): void {
  for (let i = 0; i < grey.data.length; i++) pixels.data[i * pixels.channels + channel] = grey.data[i]!;
}

/** Colour as grey: the luma of ITU-R BT.601. */
export function greyOf(pixels: Pixels): Pixels {
  if (pixels.channels === 1) return pixels;
  const data = new Uint8Array(pixels.width * pixels.height);
  for (let i = 0; i < data.length; i++) {
    const [red, green, blue] = pixels.data.subarray(3 * i, 3 * i + 3);
    data[i] = Math.round(0.299 * red! + 0.587 * green! + 0.114 * blue!);
  }
  return { ...pixels, channels: 1, data };
}

/** Repeats a grey picture's values in three channels. */
export function repeated(grey: Pixels): Pixels {
  const data = new Uint8Array(grey.data.length * 3);
  for (let i = 0; i < grey.data.length; i++) data.fill(grey.data[i]!, 3 * i, 3 * i + 3);
  return { ...grey, channels: 3, data };
}

/** The middle of each pixel's three values: of three equal ones, that value. */
export function medians(color: Pixels): Pixels {
  const data = new Uint8Array(color.width * color.height);
  for (let i = 0; i < data.length; i++) {
    const [a, b, c] = [color.data[3 * i]!, color.data[3 * i + 1]!, color.data[3 * i + 2]!];
    data[i] = Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
  }
  return { ...color, channels: 1, data };
}

/** What a canvas holds, as pixels: grey where all three channels are equal everywhere. */
export function fromImageData(image: ImageData): Pixels {
  const count = image.width * image.height;
  let channels: 1 | 3 = 1;
  for (let i = 0; i < count && channels === 1; i++) {
    const [red, green, blue] = [image.data[4 * i], image.data[4 * i + 1], image.data[4 * i + 2]];
    if (red !== green || green !== blue) channels = 3;
  }
  const data = new Uint8Array(count * channels);
  for (let i = 0; i < count; i++) {
    for (let c = 0; c < channels; c++) data[i * channels + c] = image.data[4 * i + c]!;
  }
  return { width: image.width, height: image.height, channels, data };
}

/** Pixels as a canvas takes them, with the opacity of the picture that they come from, if it has any. */
export function toImageData(pixels: Pixels, alpha?: Uint8Array): ImageData {
  const image = new ImageData(pixels.width, pixels.height);
  for (let i = 0; i < pixels.width * pixels.height; i++) {
    for (let c = 0; c < 3; c++) {
      image.data[4 * i + c] = pixels.data[i * pixels.channels + Math.min(c, pixels.channels - 1)]!;
    }
    image.data[4 * i + 3] = alpha ? alpha[i]! : 255;
  }
  return image;
}
