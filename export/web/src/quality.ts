import type { Pixels } from "./pixels";

/** How close a picture is to the clean one: PSNR in dB, and SSIM where it is large enough. */
export interface Quality {
  psnr: number;
  ssim: number | null;
}

const WINDOW = 7;
// What exact pictures count, in dB.
const EXACT = 100;
// Wang et al. 2004, for values up to 255.
const C1 = (0.01 * 255) ** 2;
const C2 = (0.03 * 255) ** 2;

export function quality(clean: Pixels, other: Pixels): Quality {
  return { psnr: psnr(clean, other), ssim: Math.min(clean.width, clean.height) < WINDOW ? null : ssim(clean, other) };
}

function psnr(clean: Pixels, other: Pixels): number {
  let sum = 0;
  for (let i = 0; i < clean.data.length; i++) sum += (clean.data[i]! - other.data[i]!) ** 2;
  return Math.min(EXACT, 10 * Math.log10((255 ** 2 * clean.data.length) / sum));
}

/** The mean over uniform windows and channels, with the sample covariance, as in scikit-image. */
function ssim(clean: Pixels, other: Pixels): number {
  const { width, height, channels } = clean;
  const columns = width * channels;
  const count = WINDOW * WINDOW;
  // Sums of a, b, a², b² and ab, over the last rows of each column: no copy of the picture.
  const sums = Array.from({ length: 5 }, () => new Float64Array(columns));
  const addRow = (row: number, sign: number) => {
    for (let i = 0; i < columns; i++) {
      const [a, b] = [clean.data[row * columns + i]!, other.data[row * columns + i]!];
      sums[0]![i]! += sign * a;
      sums[1]![i]! += sign * b;
      sums[2]![i]! += sign * a * a;
      sums[3]![i]! += sign * b * b;
      sums[4]![i]! += sign * a * b;
    }
  };
  let total = 0;
  for (let row = 0; row < height; row++) {
    addRow(row, 1);
    if (row >= WINDOW) addRow(row - WINDOW, -1);
    if (row < WINDOW - 1) continue;
    for (let left = 0; left + (WINDOW - 1) * channels < columns; left++) {
      const [a, b, aa, bb, ab] = sums.map((sum) => {
        let inside = 0;
        for (let step = 0; step < WINDOW; step++) inside += sum[left + step * channels]!;
        return inside / count;
      }) as [number, number, number, number, number];
      const sample = count / (count - 1);
      const covariance = sample * (ab - a * b);
      const variances = sample * (aa - a * a + bb - b * b);
      total += ((2 * a * b + C1) * (2 * covariance + C2)) / ((a * a + b * b + C1) * (variances + C2));
    }
  }
  return total / ((height - WINDOW + 1) * (columns - (WINDOW - 1) * channels));
}
