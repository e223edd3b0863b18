/**
 * What tells kinds of noise apart: kerasgan/restore/looks.py over again, step by step and with the
 * same network; what is measured and why stands there, and a test holds the two together.
 */
import network from "../../../kerasgan/restore/looks.json";
import { blockSums, type Impulses, type Planes } from "./impulses";

/** What the network chooses among, in the order of its outputs. */
export const LOOKS = ["clean", "salt-and-pepper", "gaussian", "signal-dependent", "impulses"] as const;

const [BRIGHTNESS, FEWEST_BLOCKS] = [[0, 4, 48, 112, 176, 248, 256], 4];
const BEYOND = [2, 8, 24, 64];
const STANDS_OUT = 24;
const [LEAST_BEYOND, LEAST_SHARE, LEAST_NOISE] = [1e-4, 1e-3, 0.01];
const FARTHEST = 4;

/** What is measured of a picture, but for its impulses. */
export interface Measures {
  sigma: number;
  growth: number;
  flat: number;
  blocking: number;
  still: number;
  peaked: number[];
  coarse: number[];
  shares: number[];
  noises: number[];
  beyond: number[];
}

/** Measures a picture; undefined where there is no block of 8×8 values. */
export function measure(planes: Planes): Measures | undefined {
  const response = responseTo(planes, 1);
  const wider = responseTo(planes, 2);
  const noise = blockMeans(planes, (_, index) => Math.abs(response(index)));
  if (!noise.length) return undefined;
  const squared = blockMeans(planes, (_, index) => response(index) ** 2);
  const coarser = blockMeans(planes, (_, index) => Math.abs(wider(index)));
  const level = blockMeans(planes, (value) => value);
  const moving = indices(noise, (value) => value > 0).sort((one, other) => noise[one]! - noise[other]!);
  const parts = moving.length ? [moving.slice(0, Math.max(1, moving.length >> 2)), moving] : [];
  const ranges = BRIGHTNESS.slice(1).map((high, i) =>
    indices(level, (value) => value >= BRIGHTNESS[i]! && value < high),
  );
  return {
    ...noiseOf(planes, noise, level),
    ...texture(planes),
    still: 1 - moving.length / noise.length,
    peaked: padded(parts.map((part) => Math.log(quantile(part.map((i) => squared[i]! / noise[i]! ** 2), 0.5)))),
    coarse: padded(
      parts.map((part) => {
        const [far, near] = [coarser, noise].map((values) => mean(part.map((i) => values[i]!)) + LEAST_NOISE);
        return Math.log(far! / near!);
      }),
    ),
    shares: ranges.map((range) => range.length / level.length),
    noises: ranges.map((range) =>
      range.length >= FEWEST_BLOCKS ? Math.log1p(quantile(range.map((i) => noise[i]!), 0.1)) : -1,
    ),
    beyond: beyondNeighbours(planes),
  };
}

/** Weighs what was measured: for each of `LOOKS` a logit. */
export function weigh(measures: Measures, { share, others, black, white, mixed }: Impulses): number[] {
  const seen = [
    Math.log1p(measures.sigma),
    measures.growth,
    measures.flat,
    Math.log(Math.max(measures.blocking, LEAST_NOISE)),
    measures.still,
    ...measures.peaked,
    ...measures.coarse,
    ...measures.shares,
    ...measures.noises,
    ...measures.beyond,
    Math.log(share + LEAST_SHARE),
    Math.log(others + LEAST_SHARE),
    black,
    white,
    mixed,
  ].map((value, i) => {
    const usual = (value - network.mean[i]!) / network.deviation[i]!;
    return Math.min(FARTHEST, Math.max(-FARTHEST, usual));
  });
  const hidden = layer(seen, network.hidden, network.hidden_bias).map((value) => Math.max(0, value));
  return layer(hidden, network.output, network.output_bias);
}

function layer(inputs: number[], kernel: number[][], bias: number[]): number[] {
  return bias.map((start, to) => inputs.reduce((sum, value, from) => sum + value * kernel[from]![to]!, start));
}

function padded(values: number[]): number[] {
  return values.length ? values : [0, 0];
}

function indices(values: Float64Array, has: (value: number) => boolean): number[] {
  return [...values.keys()].filter((index) => has(values[index]!));
}

function blockMeans(planes: Planes, of: (value: number, index: number) => number): Float64Array {
  return blockSums(planes, of).map((sum) => sum / 64);
}

/** Responses to Immerkær's mask, with its values so many pixels apart; blocks that are not whole are no edge. */
function responseTo({ height, width, values }: Planes, step: number): (index: number) => number {
  const [lastRow, lastColumn] = [(height & ~7) - 1, (width & ~7) - 1];
  const second = (row: number, x: number) =>
    values[row + Math.max(0, x - step)]! - 2 * values[row + x]! + values[row + Math.min(lastColumn, x + step)]!;
  return (index) => {
    const x = index % width;
    const row = index - x;
    const y = (row / width) % height;
    const [up, down] = [Math.min(step, y), Math.min(step, lastRow - y)].map((rows) => rows * width);
    return second(row - up!, x) - 2 * second(row, x) + second(row + down!, x);
  };
}

/** Estimates noise where the picture is flattest, and by which power of the brightness it grows. */
function noiseOf(planes: Planes, noise: Float64Array, level: Float64Array): { sigma: number; growth: number } {
  const pure = blockMeans(planes, (value) => Number(value === 0 || value === 255));
  if (mean(pure) > 0.98) return { sigma: 0, growth: 0 };
  const clear = indices(pure, (share) => share === 0);
  const used = clear.length < 0.05 * pure.length ? [...pure.keys()] : clear;
  const scale = (1.25 * Math.sqrt(Math.PI / 2)) / 6;
  const blocks = used.map((block) => ({
    sigma: (scale * noise[block]!) / (1 - 0.84 * pure[block]!),
    level: level[block]!,
  }));
  const middle = quantile(blocks.map(({ level }) => level), 0.5);
  const [dark, bright] = [false, true].map((isBright) => blocks.filter(({ level }) => level > middle === isBright));
  const [low, high] = [dark!, bright!].map((part) => quantile(part.map(({ sigma }) => sigma), 0.1));
  const [dim, light] = [dark!, bright!].map((part) => mean(part.map(({ level }) => level)) + 1);
  const grows = bright!.length > 0 && Math.min(low!, high!) > 0 && light! > 1.3 * dim!;
  return {
    sigma: quantile(blocks.map(({ sigma }) => sigma), 0.1),
    growth: grows ? Math.log(high! / low!) / Math.log(light! / dim!) : 0,
  };
}

/** Share of values equal to the next one, and relative steps between JPEG's blocks. */
function texture({ width, values }: Planes): { flat: number; blocking: number } {
  const sums = new Float64Array(width - 1);
  let equal = 0;
  for (let row = 0; row < values.length; row += width) {
    for (let x = 0; x < width - 1; x++) {
      const step = Math.abs(values[row + x + 1]! - values[row + x]!);
      sums[x]! += step;
      if (step === 0) equal++;
    }
  }
  const flat = equal / ((values.length / width) * (width - 1));
  const isBetween = (x: number) => (x + 1) % 8 === 0;
  const [between, within] = [true, false].map((wanted) => mean(sums.filter((_, x) => isBetween(x) === wanted)));
  return { flat, blocking: width > 8 && within! > 0 ? between! / within! : 1 };
}

/** Logarithms of the shares of values that lie beyond all eight neighbours. */
function beyondNeighbours(planes: Planes): number[] {
  const { height, width, values } = planes;
  const [lastRow, lastColumn] = [(height & ~7) - 1, (width & ~7) - 1];
  const counts = BEYOND.map(() => 0);
  let all = 0;
  blockSums(planes, (value, index) => {
    const x = index % width;
    const row = index - x;
    const y = (row / width) % height;
    let [lowest, highest] = [255, 0];
    for (const line of [y > 0 ? row - width : row, row, y < lastRow ? row + width : row]) {
      for (const column of [Math.max(0, x - 1), x, Math.min(lastColumn, x + 1)]) {
        if (line === row && column === x && !(x === 0 || x === lastColumn || y === 0 || y === lastRow)) continue;
        const other = values[line + column]!;
        if (other < lowest) lowest = other;
        if (other > highest) highest = other;
      }
    }
    const beyond = Math.max(value - highest, lowest - value);
    BEYOND.forEach((step, i) => (counts[i]! += Number(beyond > step)));
    all++;
    return 0;
  });
  return counts.map((count) => Math.log(count / all + LEAST_BEYOND));
}

/** Tells how unevenly values that stand out lie over rows and columns. */
export function unevenness({ tiles, channels, height, width, values }: Planes): number {
  const count = tiles * channels;
  const rows = new Float64Array(count * height);
  const columns = new Float64Array(count * width);
  const around = new Uint8Array(9);
  let all = 0;
  for (let plane = 0; plane < count; plane++) {
    for (let y = 0; y < height; y++) {
      const lines = [Math.max(0, y - 1), y, Math.min(height - 1, y + 1)].map((line) => (plane * height + line) * width);
      for (let x = 0; x < width; x++) {
        const [left, right] = [Math.max(0, x - 1), Math.min(width - 1, x + 1)];
        lines.forEach((line, i) => {
          around[3 * i] = values[line + left]!;
          around[3 * i + 1] = values[line + x]!;
          around[3 * i + 2] = values[line + right]!;
        });
        if (Math.abs(values[lines[1]! + x]! - around.sort()[4]!) <= STANDS_OUT) continue;
        rows[plane * height + y]!++;
        columns[plane * width + x]!++;
        all++;
      }
    }
  }
  if (!all) return 0;
  const share = all / values.length;
  const squares = [
    { counts: rows, extent: width },
    { counts: columns, extent: height },
  ].map(({ counts, extent }) => {
    const expected = share * extent;
    return (mean(counts.map((n) => (n - expected) ** 2)) - expected * (1 - share)) / expected ** 2;
  });
  return Math.sqrt(Math.max(0, ...squares));
}

function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
}

/** Between two values in proportion, as NumPy does. */
function quantile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  const position = share * (sorted.length - 1);
  const [below, above] = [sorted[Math.floor(position)]!, sorted[Math.ceil(position)]!];
  return below + (above - below) * (position % 1);
}
