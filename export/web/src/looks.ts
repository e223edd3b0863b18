/**
 * What tells kinds of noise apart: kerasgan/restore/looks.py over again, step by step and with the
 * same trees; what is measured and why stands there, and a test holds the two together.
 */
import trees from "../../../kerasgan/restore/looks.json";
import { blockSums, type Impulses, type Planes } from "./impulses";

/** What the trees choose among, in the order of their scores. */
export const LOOKS = ["clean", "salt-and-pepper", "gaussian", "signal-dependent", "impulses"] as const;

const [BRIGHTNESS, FEWEST_BLOCKS] = [[0, 4, 48, 112, 176, 248, 256], 4];
const BEYOND = [2, 8, 24, 64];
const [APART, STANDS_OUT] = [[1, 4, 12, 24, 48, 96], 24];
const [LEAST_BEYOND, LEAST_SHARE, LEAST_NOISE] = [1e-4, 1e-3, 0.01];
const LEAF = -1;
// Exchanges of two values each, by which the middle one of nine comes to the middle.
const TO_THE_MIDDLE: readonly (readonly [number, number])[] = [
  ...([[1, 2], [4, 5], [7, 8], [0, 1], [3, 4], [6, 7], [1, 2], [4, 5], [7, 8], [0, 3]] as const),
  ...([[5, 8], [4, 7], [3, 6], [1, 4], [2, 5], [4, 7], [4, 2], [6, 4], [4, 2]] as const),
];

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
  joint: number;
  apart: number[];
  alike: number[];
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
    joint: joint(planes, response),
    ...differing(planes),
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
    measures.joint,
    ...measures.apart,
    ...measures.alike,
    Math.log(share + LEAST_SHARE),
    Math.log(others + LEAST_SHARE),
    black,
    white,
    mixed,
  ];
  const logits = LOOKS.map(() => 0);
  trees.root.forEach((root, tree) => {
    let node = root;
    while (trees.measure[node] !== LEAF) {
      node = trees.next[node]! + Number(seen[trees.measure[node]!]! > trees.value[node]!);
    }
    logits[tree % LOOKS.length]! += trees.value[node]!;
  });
  return logits;
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

/** Mean correlation of the response in green with those in red and in blue. */
function joint(planes: Planes, response: (index: number) => number): number {
  const { channels, height, width } = planes;
  if (channels === 1) return 1;
  const plane = height * width;
  const [powers, products] = [[0, 0, 0], [0, 0, 0]];
  blockSums(planes, (_, index) => {
    const channel = Math.floor(index / plane) % 3;
    const own = response(index);
    powers[channel]! += own ** 2;
    products[channel]! += own * response(index + (1 - channel) * plane);
    return 0;
  });
  const correlations = [0, 2].map((channel) => {
    const scale = Math.sqrt(powers[channel]! * powers[1]!);
    return scale ? products[channel]! / scale : 1;
  });
  return mean(correlations);
}

/** How far values are from the median around them, and whether their neighbours are, too. */
function differing(planes: Planes): { apart: number[]; alike: number[] } {
  const [height, width] = [planes.height & ~7, planes.width & ~7];
  const values = fromMedian(planes, height, width);
  let [power, across, down] = [0, 0, 0];
  values.forEach((value, index) => {
    power += value ** 2;
    if ((index + 1) % width) across += value * values[index + 1]!;
    if (Math.floor(index / width + 1) % height) down += value * values[index + width]!;
  });
  const alike = [
    { product: across, extent: width },
    { product: down, extent: height },
  ].map(({ product, extent }) => (power ? (product / power) * (extent / (extent - 1)) : 0));
  const apart = APART.map((step) => {
    const count = values.reduce((sum, value) => sum + Number(Math.abs(value) > step), 0);
    return Math.log(count / values.length + LEAST_BEYOND);
  });
  return { apart, alike };
}

/** By how many levels values lie above the median of 3×3, in as many rows and columns of each plane. */
function fromMedian(planes: Planes, height: number, width: number): Int16Array {
  const count = planes.tiles * planes.channels;
  const result = new Int16Array(count * height * width);
  const around = new Uint8Array(9);
  let index = 0;
  for (let plane = 0; plane < count; plane++) {
    for (let y = 0; y < height; y++) {
      const lines = [Math.max(0, y - 1), y, Math.min(height - 1, y + 1)].map(
        (line) => (plane * planes.height + line) * planes.width,
      );
      for (let x = 0; x < width; x++) {
        const [left, right] = [Math.max(0, x - 1), Math.min(width - 1, x + 1)];
        lines.forEach((line, i) => {
          around[3 * i] = planes.values[line + left]!;
          around[3 * i + 1] = planes.values[line + x]!;
          around[3 * i + 2] = planes.values[line + right]!;
        });
        for (const [one, other] of TO_THE_MIDDLE) {
          const [lower, higher] = [around[one]!, around[other]!];
          if (lower > higher) [around[one], around[other]] = [higher, lower];
        }
        result[index++] = planes.values[lines[1]! + x]! - around[4]!;
      }
    }
  }
  return result;
}

/** Tells how unevenly values that stand out lie over rows and columns. */
export function unevenness(planes: Planes): number {
  const { height, width } = planes;
  const count = planes.tiles * planes.channels;
  const rows = new Float64Array(count * height);
  const columns = new Float64Array(count * width);
  let all = 0;
  fromMedian(planes, height, width).forEach((value, index) => {
    if (Math.abs(value) <= STANDS_OUT) return;
    const row = Math.floor(index / width);
    rows[row]!++;
    columns[Math.floor(row / height) * width + (index % width)]!++;
    all++;
  });
  if (!all) return 0;
  const share = all / planes.values.length;
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
