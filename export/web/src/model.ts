import { type CompiledModel, loadAndCompile, loadLiteRt, Tensor } from "@litertjs/core";
import { Failure } from "./failure";
import type { Manifest, ModelFile, Quantization } from "./manifest";
import { channelOf, medians, type Pixels, repeated, setChannel } from "./pixels";
import { mirrored, tiles, type Window, windowFor } from "./tiling";

export type Accelerator = "wasm" | "webgpu";
type Numbers = Uint8Array<ArrayBuffer> | Float32Array<ArrayBuffer>;

/** Starts LiteRT in a classic worker. */
export async function startRuntime(folder: string): Promise<void> {
  const response = await fetch(`${folder}litert.wasm.gz`).catch(() => undefined);
  if (!response?.ok) throw new Failure("Cannot load LiteRT: connect to the network once, and try again.");
  // Its loader takes the module's settings from here.
  Object.assign(self, { Module: { wasmBinary: await unpacked(response) } });
  try {
    await loadLiteRt(`${folder}litert.js`);
  } catch (error) {
    throw new Failure(`LiteRT does not start in this browser: ${String(error)}`);
  }
}

async function unpacked(response: Response): Promise<ArrayBuffer> {
  const packed = await response.arrayBuffer();
  // Some servers tell the browser to unpack what is called .gz.
  if (new Uint8Array(packed)[0] !== 0x1f) return packed;
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

/** A .tflite file that restores pictures of any size. */
export class Model {
  private constructor(
    private readonly compiled: CompiledModel,
    private readonly manifest: Manifest,
    private readonly file: ModelFile,
  ) {}

  static async load(
    content: Uint8Array<ArrayBuffer>,
    manifest: Manifest,
    file: ModelFile,
    accelerator: Accelerator,
  ): Promise<Model> {
    try {
      return new Model(await loadAndCompile(content, { accelerator }), manifest, file);
    } catch (error) {
      throw new Failure(`${file.file} cannot be run in this browser: ${String(error)}`);
    }
  }

  get isFullyAccelerated(): boolean {
    return this.compiled.isFullyAccelerated;
  }

  delete(): void {
    this.compiled.delete();
  }

  /**
   * Restores a picture in tiles; a grey model restores colour channel by channel.
   *
   * @param onTile is told the share that is done, and may take its time.
   */
  async restore(noisy: Pixels, onTile: (done: number) => Promise<void>): Promise<Pixels> {
    if (noisy.channels === this.manifest.channels) return this.restoreInTiles(noisy, onTile);
    if (noisy.channels === 1) return medians(await this.restoreInTiles(repeated(noisy), onTile));
    const restored = { ...noisy, data: new Uint8Array(noisy.data.length) };
    for (let channel = 0; channel < 3; channel++) {
      const grey = channelOf(noisy, channel);
      setChannel(restored, channel, await this.restoreInTiles(grey, (done) => onTile((channel + done) / 3)));
    }
    return restored;
  }

  private async restoreInTiles(noisy: Pixels, onTile: (done: number) => Promise<void>): Promise<Pixels> {
    const { width, height, channels } = noisy;
    const { multiple } = this.manifest;
    const window = windowFor(height, width, this.manifest);
    const restored = { ...noisy, data: new Uint8Array(noisy.data.length) };
    const rows = tiles(height, window.height, window.margin, multiple);
    const columns = tiles(width, window.width, window.margin, multiple);
    let done = 0;
    for (const row of rows) {
      for (const column of columns) {
        const result = await this.run(cut(noisy, row.start, column.start, window), window);
        for (let y = row.keptStart; y < row.keptEnd; y++) {
          const from = ((y - row.start) * window.width + column.keptStart - column.start) * channels;
          const piece = result.subarray(from, from + (column.keptEnd - column.keptStart) * channels);
          restored.data.set(piece, (y * width + column.keptStart) * channels);
        }
        await onTile(++done / (rows.length * columns.length));
      }
    }
    return restored;
  }

  private async run(noisy: Uint8Array, { signature, height, width }: Window): Promise<Uint8Array> {
    const input = new Tensor(quantized(noisy, this.file.input), [1, height, width, this.manifest.channels]);
    try {
      const { restored } = await this.compiled.run(signature, { noisy: input });
      if (!restored) throw new Failure(`${this.file.file} restores no pictures.`);
      const numbers = (await restored.data()) as Numbers;
      const pixels = toPixels(numbers, this.file.output);
      restored.delete();
      return pixels;
    } finally {
      input.delete();
    }
  }
}

/** One window of a picture, mirrored where the picture ends. */
function cut({ width, height, channels, data }: Pixels, top: number, left: number, window: Window): Uint8Array {
  const piece = new Uint8Array(window.height * window.width * channels);
  const inside = Math.min(window.width, width - left);
  for (let y = 0; y < window.height; y++) {
    const row = (top + mirrored(y, height - top)) * width;
    const to = y * window.width * channels;
    piece.set(data.subarray((row + left) * channels, (row + left + inside) * channels), to);
    for (let x = inside; x < window.width; x++) {
      const from = (row + left + mirrored(x, width - left)) * channels;
      piece.set(data.subarray(from, from + channels), to + x * channels);
    }
  }
  return piece;
}

function quantized(pixels: Uint8Array, { scale, zero_point }: Quantization): Numbers {
  if (!scale) return Float32Array.from(pixels, (pixel) => pixel / 255);
  const table = Uint8ClampedArray.from({ length: 256 }, (_, pixel) => Math.round(pixel / 255 / scale) + zero_point);
  return Uint8Array.from(pixels, (pixel) => table[pixel]!);
}

function toPixels(numbers: Numbers, { scale, zero_point }: Quantization): Uint8Array {
  // A clamped array rounds halves to the even number, as NumPy does.
  if (!scale) return new Uint8Array(Uint8ClampedArray.from(numbers, (value) => value * 255).buffer);
  const table = Uint8ClampedArray.from({ length: 256 }, (_, number) => (number - zero_point) * scale * 255);
  return Uint8Array.from(numbers, (number) => table[number]!);
}
