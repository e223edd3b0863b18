/**
 * Salt and pepper, told from black and white that belong to a picture.
 *
 * It is kerasgan/restore/impulses.py over again, for 8 bits, step by step and with the same numbers:
 * what is told and why stands there, and a test holds the two together.
 */
import type { Pixels } from "./pixels";

/** A picture's channels one after another, or those of tiles that are spread over a large one. */
export interface Planes {
  tiles: number;
  channels: number;
  height: number;
  width: number;
  values: Uint8Array;
}

/** What there is of impulses in a picture; shares lie in [0, 1]. */
export interface Impulses {
  /** Of the values that salt and pepper replaced; 0 where there is none. */
  share: number;
  /** Of the values that other impulses replaced, as far as they are about black or white. */
  others: number;
  /** Of the values that are pure black, for whatever reason. */
  black: number;
  white: number;
  /** Of the values that are black where white prevails or the other way round, by blocks of 8×8. */
  mixed: number;
}

const [VALUES, TILE] = [2 ** 19, 128];
const SCORES = 255 * (24 + 8) + Math.floor((255 * 225) / 16) + 1;
const [LEAST_SHARE, FEWEST_IMPULSES] = [0.0015, 10];
const [CONTRAST, NEAR_CONTRAST] = [8, 64];
const [AVOIDING, APART] = [0.025, 4];
const GAPS = 10;
const ALL = 0.999;
const HARM = 1.1;

export function isSaltAndPepper({ share }: Impulses): boolean {
  return share > 0 && share <= ALL;
}

/** What there is of salt and pepper, for people. */
export function verdictOf(impulses: Impulses): string {
  const { share, black, white } = impulses;
  if (isSaltAndPepper(impulses)) return `salt and pepper, about ${percent(share)}`;
  const pure = `${percent(black + white)} of its values are pure black or white`;
  return share === 0 ? `no salt and pepper: ${pure}` : `nothing but noise: ${pure}`;
}

/** Why a model had better not restore the picture; undefined if it may. */
export function objectionTo(impulses: Impulses, knowsPages: boolean): string | undefined {
  const verdict = verdictOf(impulses);
  if (!isSaltAndPepper(impulses)) return verdict;
  if (knowsPages || impulses.mixed <= HARM * impulses.share) return undefined;
  return `${verdict}, but restoring would change the picture's own black and white, too`;
}

/** Looks for impulses; takes milliseconds, however large the picture is. */
export function findImpulses(planes: Planes): Impulses {
  const scores = surroundings(planes);
  const places = new Uint32Array(SCORES);
  for (const score of scores) places[score]!++;
  const turned = { ...planes, values: planes.values.map((value) => 255 - value) };
  const black = sideOf(planes, scores.map((score) => SCORES - 1 - score), places.slice().reverse());
  const white = sideOf(turned, scores, places);
  const sides = [black, white];
  let share = (black.noise ? black.share : 0) + (white.noise ? white.share : 0);
  // The other colour hides in what the picture has of it, and is no more frequent.
  if (black.noise !== white.noise) share += Math.min(black.share, white.share);
  const isOther = (side: Side) => side.share < share && side.near > Math.max(side.share, 0.05 * share);
  if (!sides.some((side) => side.pure) && sides.some(isOther)) share = 0;
  if (share && isHalftone(planes)) share = 0;
  const others = sides.reduce((sum, side) => sum + (side.near ? side.near + side.share : 0), 0);
  return {
    share: Math.min(share, 1),
    others: share ? 0 : Math.min(others, 1),
    black: shareOf(planes.values, 0),
    white: shareOf(planes.values, 255),
    mixed: mixedIn(planes),
  };
}

/** Takes a picture, or tiles that are spread over a large one. */
export function sample({ width, height, channels, data }: Pixels): Planes {
  let [tops, lefts, size] = [[0], [0], { height, width }];
  if (data.length > VALUES) {
    const count = Math.floor(VALUES / (TILE ** 2 * channels));
    const down = Math.max(1, Math.min(count, toEven(Math.sqrt((count * height) / width))));
    // At multiples of 8, where JPEG has its blocks.
    tops = spread(Math.max(0, height - TILE), down);
    lefts = spread(Math.max(0, width - TILE), Math.floor(count / down));
    size = { height: Math.min(height, TILE), width: Math.min(width, TILE) };
  }
  const tiles = tops.length * lefts.length;
  const values = new Uint8Array(tiles * channels * size.height * size.width);
  let at = 0;
  for (const top of tops) {
    for (const left of lefts) {
      for (let channel = 0; channel < channels; channel++) {
        for (let y = top; y < top + size.height; y++) {
          let from = (y * width + left) * channels + channel;
          for (let x = 0; x < size.width; x++, from += channels) values[at++] = data[from]!;
        }
      }
    }
  }
  return { tiles, channels, ...size, values };
}

/** As many positions from 0 to `last`, at multiples of 8. */
function spread(last: number, count: number): number[] {
  const step = last / (count - 1);
  return Array.from({ length: count }, (_, i) => {
    const exact = i === 0 ? 0 : i === count - 1 ? last : i * step;
    return Math.floor(Math.floor(exact) / 8) * 8;
  });
}

/** Rounds halves to the even number, as Python does. */
function toEven(value: number): number {
  return value % 1 === 0.5 ? 2 * Math.round(value / 2) : Math.round(value);
}

/** A share as Python's format writes it, with so many digits after the point. */
export function percent(share: number, digits = share >= 0.095 ? 0 : 1): string {
  const value = 100 * share;
  // Numbers that lie between two are rounded to the even one there, and up here.
  const between = (value * 2 ** (digits + 1)) % 2 === 1;
  return `${(between ? toEven(value * 10 ** digits) / 10 ** digits : value).toFixed(digits)}%`;
}

function shareOf(values: Uint8Array, value: number): number {
  let count = 0;
  for (const each of values) if (each === value) count++;
  return count / values.length;
}

function mixedIn(planes: Planes): number {
  const [black, white] = [0, 255].map((value) => blockSums(planes, (each) => Number(each === value)));
  if (!black!.length) return 0;
  return black!.reduce((sum, count, i) => sum + Math.min(count, white![i]!), 0) / 64 / black!.length;
}

/** Sums of blocks of 8×8, of what a function makes of each value. */
export function blockSums(planes: Planes, of: (value: number, index: number) => number): Float64Array {
  const { tiles, channels, height, width, values } = planes;
  const [down, across] = [height >> 3, width >> 3];
  const sums = new Float64Array(tiles * channels * down * across);
  for (let plane = 0; plane < tiles * channels; plane++) {
    for (let y = 0; y < 8 * down; y++) {
      const [row, sumRow] = [(plane * height + y) * width, (plane * down + (y >> 3)) * across];
      for (let x = 0; x < 8 * across; x++) sums[sumRow + (x >> 3)]! += of(values[row + x]!, row + x);
    }
  }
  return sums;
}

/** Impulses of one colour; see the Python module's _Side. */
interface Side {
  share: number;
  near: number;
  noise: boolean;
  pure: boolean;
}

/** Adds `size` values, `step` apart, down and across. */
function sums(values: Uint16Array, width: number, size: number, step = 1): Uint16Array {
  const reach = step * (size - 1);
  const height = values.length / width - reach;
  const down = new Uint16Array(height * width);
  for (let from = 0; from <= reach * width; from += step * width) {
    for (let i = 0; i < down.length; i++) down[i]! += values[from + i]!;
  }
  const across = new Uint16Array(height * (width - reach));
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = y * width; x < (y + 1) * width - reach; x++, at++) {
      for (let i = 0; i <= reach; i += step) across[at]! += down[x + i]!;
    }
  }
  return across;
}

/** A plane with a grey border of so many values. */
function padded(values: Uint8Array, width: number, border: number): Uint16Array {
  const [height, wider] = [values.length / width, width + 2 * border];
  const wide = new Uint16Array((height + 2 * border) * wider).fill(128);
  for (let y = 0; y < height; y++) wide.set(values.subarray(y * width, (y + 1) * width), (y + border) * wider + border);
  return wide;
}

/** Tells how bright it is around every value, itself left out. */
function surroundings({ height, width, values }: Planes): Uint16Array {
  const scores = new Uint16Array(values.length);
  const area = height * width;
  for (let start = 0; start < values.length; start += area) {
    const wide = padded(values.subarray(start, start + area), width, 7);
    const five = sums(wide, width + 14, 5);
    const fifteen = sums(five, width + 10, 3, 5);
    for (let y = 0, at = 0; y < height; y++) {
      for (let x = 0; x < width; x++, at++) {
        const middle = (y + 7) * (width + 14) + x + 7;
        const value = wide[middle]!;
        const [up, down] = [wide[middle - width - 14]!, wide[middle + width + 14]!];
        const cross = up + down + wide[middle - 1]! + wide[middle + 1]!;
        const far = (fifteen[at]! - value) >> 4;
        scores[start + at] = five[(y + 5) * (width + 10) + x + 5]! - value + 2 * cross + far;
      }
    }
  }
  return scores;
}

/** Looks for black impulses. */
function sideOf(planes: Planes, ranks: Uint16Array, places: Uint32Array): Side {
  const { values } = planes;
  const black = values.map((value) => Number(value === 0));
  const joint = jointly(planes, black);
  // Places and black ones up to each rank.
  const n = cumulated(places);
  const counts = new Uint32Array(SCORES);
  for (let i = 0; i < black.length; i++) counts[ranks[i]!]! += black[i]!;
  const e = cumulated(counts);
  const whole = values.length;
  const ends = [...new Set(growing(whole).map((size) => firstAtLeast(n, size)))].sort((one, other) => one - other);
  const first = ends[0]!;
  const second = ends[Math.min(1, ends.length - 1)]!;
  let [last, steady] = [first, ends.length === 1];
  for (const end of ends.slice(1)) {
    const [inner, more] = [e[last]! / n[last]!, n[end]! - n[last]!];
    const share = e[end]! / n[end]!;
    const error = Math.sqrt(joint * share * (1 - share) * (1 / n[last]! + 1 / more));
    const difference = Math.abs((e[end]! - e[last]!) / more - inner) - 0.1 * Math.min(share, 1 - share);
    if (difference > (steady ? 2.5 : 3) * error) break;
    [last, steady] = [end, true];
  }
  const share = e[last]! / n[last]!;
  // Around the brightest places and in them.
  const inside = e[first]! / n[first]!;
  const around = (aroundPlaces(planes, black, ranks, first) - inside) / 24;
  const { near, valley, contrast } = almostBlack(values, ranks, second);
  steady &&= around < 1.15 * inside + 0.01 && contrast >= CONTRAST;
  const expected = 0.15 * share * n[second]!;
  const all = e[SCORES - 1]!;
  const noise =
    steady &&
    share > LEAST_SHARE &&
    e[last]! > FEWEST_IMPULSES * joint &&
    all < whole &&
    share < (1.1 * all) / whole + 3 * Math.sqrt((joint * share * (1 - share)) / n[last]!) &&
    near < expected + Math.sqrt(expected) + 1 &&
    isEven(planes, black, ranks, last, joint) &&
    !hasGaps(planes, black, share, joint);
  // Other noise has the more values the less they differ from the surroundings.
  const others = steady && contrast >= NEAR_CONTRAST && near >= 0.7 * valley;
  return { share, near: others ? near / n[second]! : 0, noise, pure: noise && near < 0.1 * expected };
}

/** How many channels of a pixel are black at a time. */
function jointly({ tiles, channels, height, width }: Planes, black: Uint8Array): number {
  const area = height * width;
  let [impulses, pixels] = [0, 0];
  for (let tile = 0; tile < tiles; tile++) {
    for (let i = 0; i < area; i++) {
      let count = 0;
      for (let channel = 0; channel < channels; channel++) count += black[(tile * channels + channel) * area + i]!;
      impulses += count;
      if (count) pixels++;
    }
  }
  return Math.max(1, impulses / Math.max(1, pixels));
}

/** How many values of 5×5 are black, in the mean over places up to a rank; those are few. */
function aroundPlaces({ height, width }: Planes, black: Uint8Array, ranks: Uint16Array, rank: number): number {
  let [sum, count] = [0, 0];
  for (let place = 0; place < black.length; place++) {
    if (ranks[place]! > rank) continue;
    count++;
    const x = place % width;
    const y = ((place - x) / width) % height;
    const row = place - x;
    const [left, right] = [Math.max(0, x - 2), Math.min(width - 1, x + 2)];
    for (let step = Math.max(-2, -y); step <= Math.min(2, height - 1 - y); step++) {
      for (let i = left; i <= right; i++) sum += black[row + step * width + i]!;
    }
  }
  return sum / count;
}

function cumulated(counts: Uint32Array): Uint32Array {
  let sum = 0;
  return counts.map((count) => (sum += count));
}

/** A hundredth of the places, or 256, and so on in steps of four times as many. */
function growing(whole: number): number[] {
  const sizes: number[] = [];
  for (let size = Math.max(Math.floor(whole / 100), 256); size < whole; size *= 4) sizes.push(size);
  return [...sizes, whole];
}

function firstAtLeast(rising: Uint32Array, value: number): number {
  const found = rising.findIndex((each) => each >= value);
  return found < 0 ? rising.length : found;
}

/** Counts values near black, and between those and twice that; tells what is usual, too. */
function almostBlack(values: Uint8Array, ranks: Uint16Array, rank: number) {
  const counts = new Uint32Array(256);
  for (let i = 0; i < values.length; i++) if (ranks[i]! <= rank) counts[values[i]!]!++;
  const rest = cumulated(counts.slice(1, 255));
  const all = rest[253]!;
  const contrast = all > 0.02 * counts[255]! ? firstAtLeast(rest, all / 2) + 1 : 255;
  const limit = Math.min(Math.max(Math.floor(contrast / 3), 1), 40);
  const between = (from: number, to: number) => counts.slice(from, to).reduce((sum, count) => sum + count, 0);
  return { near: between(1, limit + 1), valley: between(limit + 1, 2 * limit + 1), contrast };
}

/** Tells whether black avoids black, as dots that stand for grey do; noise does not care. */
function isHalftone({ height, width, values }: Planes): boolean {
  const pairs = (step: number) => {
    let count = 0;
    for (let i = 0, y = 0; i < values.length; y = (y + 1) % height) {
      for (let x = 0; x < width; x++, i++) {
        if (values[i] !== 0) continue;
        if (x + step < width && values[i + step] === 0) count++;
        if (y + step < height && values[i + step * width] === 0) count++;
      }
    }
    return count;
  };
  const share = shareOf(values, 0);
  const chance = share * (1 - share) * (AVOIDING * values.length + 4 * Math.sqrt(values.length));
  return (pairs(1) - pairs(APART)) / 2 < -chance;
}

/** Tells whether more rows and columns go on without black than noise would let them. */
function hasGaps({ height, width }: Planes, black: Uint8Array, share: number, joint: number): boolean {
  const least = Math.min(share, 0.99) - 0.1 * Math.min(share, 1 - share);
  const length = Math.ceil(Math.log(black.length / GAPS) / -Math.log1p(-least));
  const most = GAPS + 6 * Math.sqrt((2 * joint * GAPS) / least);
  const isLonger = (extent: number, step: number) => {
    let count = 0;
    for (let line = 0; line < black.length / extent; line++) {
      const start = step === 1 ? line * width : Math.floor(line / width) * height * width + (line % width);
      for (let i = 0, at = start, run = 0; i < extent; i++, at += step) {
        run = black[at] ? 0 : run + 1;
        if (run >= length && i >= length) count++;
      }
    }
    return count > most;
  };
  return (length < width && isLonger(width, 1)) || (length < height && isLonger(height, width));
}

/** Tells whether black is as frequent in all rows and all columns as chance would have it. */
function isEven(planes: Planes, black: Uint8Array, ranks: Uint16Array, rank: number, joint: number): boolean {
  const { height, width } = planes;
  const [rows, columns] = [new Lines(black.length / width), new Lines(black.length / height)];
  for (let i = 0, row = 0; i < black.length; row++) {
    const column = Math.floor(row / height) * width;
    for (let x = 0; x < width; x++, i++) {
      if (ranks[i]! > rank) continue;
      rows.add(row, black[i]!);
      columns.add(column + x, black[i]!);
    }
  }
  return rows.areEven(joint) && columns.areEven(joint);
}

/** How many places there are in each row or column, and how many black ones. */
class Lines {
  private readonly places: Float64Array;
  private readonly black: Float64Array;

  constructor(count: number) {
    this.places = new Float64Array(count);
    this.black = new Float64Array(count);
  }

  add(line: number, black: number): void {
    this.places[line]!++;
    this.black[line]! += black;
  }

  areEven(joint: number): boolean {
    const sum = (values: Float64Array) => values.reduce((all, value) => all + value, 0);
    const [places, black, used] = [sum(this.places), sum(this.black), sum(this.places.map(Math.sign))];
    const [share, mean] = [black / places, black / used / joint];
    const limit = 1 + 4 * Math.sqrt((2 + 1 / mean) / used) + 0.1 * mean;
    const squares = sum(this.places.map((count, line) => (this.black[line]! - share * count) ** 2));
    return squares <= limit * joint * share * (1 - share) * places;
  }
}
