/** What a picture looks like before it is touched: kerasgan/restore/inspection.py over again. */
import {
  blockSums,
  findImpulses,
  type Impulses,
  isSaltAndPepper,
  objectionTo,
  percent,
  type Planes,
  sample,
  verdictOf,
} from "./impulses";
import type { Pixels } from "./pixels";

/** What a picture looks like; "impulses" are those that are not pure black and white. */
export type Look = "clean" | "salt-and-pepper" | "impulses" | "gaussian" | "signal-dependent" | "unknown";

export interface Inspection {
  look: Look;
  impulses: Impulses;
  /** Estimated standard deviation of other noise, in 8-bit levels. */
  sigma: number;
}

const FEWEST = 64;
const [LEAST_SHARE, LARGE_SHARE] = [0.005, 0.03];
const [VISIBLE, GROWING] = [4, 0.3];
// What pictures look like with the noise that a model may remove.
const LOOKS: Record<string, readonly Look[]> = {
  "salt-and-pepper": ["salt-and-pepper"],
  "random-impulses": ["impulses"],
  "resaved-impulses": ["impulses", "gaussian", "signal-dependent"],
  "stray-impulses": ["impulses", "gaussian", "signal-dependent"],
  gaussian: ["gaussian", "signal-dependent"],
  speckle: ["gaussian", "signal-dependent"],
  sensor: ["gaussian", "signal-dependent", "clean"],
  camera: ["gaussian", "signal-dependent", "clean"],
};

// Models of these kinds change what is drawn, which is black or white in so large a share.
const STRAY: ReadonlySet<string> = new Set(["random-impulses", "resaved-impulses", "stray-impulses"]);
const DRAWN = 0.3;

/** Looks at a picture; takes milliseconds, however large it is. */
export function inspect(pixels: Pixels): Inspection {
  const planes = sample(pixels);
  const impulses = findImpulses(planes);
  const { sigma, growth } = noiseOf(planes);
  return { look: lookOf(impulses, sigma, growth, pixels.data.length), impulses, sigma };
}

/** What there is to say of a picture, for people. */
export function sentenceOf({ look, impulses, sigma }: Inspection): string {
  const about = `sigma about ${sigma.toFixed(0)}`;
  switch (look) {
    case "impulses":
      return (
        "looks like impulses that are not pure black and white, as JPEG and resizing leave them, " +
        `at least ${percent(impulses.others, 1)}`
      );
    case "gaussian":
      return `looks like Gaussian noise, ${about}`;
    case "signal-dependent":
      return `looks like noise that grows with brightness, ${about}`;
    case "unknown":
      return impulses.share ? verdictOf(impulses) : "there is too little to tell noise by";
    default:
      return verdictOf(impulses);
  }
}

/** Why a model that removes a kind of noise had better leave a picture alone; undefined where it need not. */
export function objection(inspection: Inspection, noise: string, knowsPages: boolean): string | undefined {
  const { look, impulses } = inspection;
  // Of kinds that came after this page, nothing is known.
  if (LOOKS[noise]?.includes(look) === false) {
    const told = look === "clean" || look === "unknown";
    return sentenceOf(inspection) + (told ? "" : ", which this model does not remove");
  }
  if (STRAY.has(noise) && !knowsPages && impulses.black + impulses.white - impulses.share > DRAWN) {
    return `${sentenceOf(inspection)}, but restoring would change what was drawn, too`;
  }
  return noise === "salt-and-pepper" ? objectionTo(impulses, knowsPages) : undefined;
}

function lookOf(impulses: Impulses, sigma: number, growth: number, size: number): Look {
  if (isSaltAndPepper(impulses)) return "salt-and-pepper";
  if (size < FEWEST || impulses.share) return "unknown";
  if (LEAST_SHARE < impulses.others && (impulses.others < LARGE_SHARE || sigma > 2)) return "impulses";
  if (sigma > VISIBLE) return growth > GROWING ? "signal-dependent" : "gaussian";
  return "clean";
}

/** Estimates noise where the picture is flattest, and by which power of the brightness it grows. */
function noiseOf(planes: Planes): { sigma: number; growth: number } {
  const pure = blockSums(planes, (value) => Number(value === 0 || value === 255)).map((sum) => sum / 64);
  if (!pure.length || mean(pure) > 0.98) return { sigma: 0, growth: 0 };
  const clear = [...pure.keys()].filter((block) => pure[block] === 0);
  const used = clear.length < 0.05 * pure.length ? [...pure.keys()] : clear;
  const responses = responsesTo(planes);
  const levels = blockSums(planes, (value) => value).map((sum) => sum / 64);
  const scale = (1.25 * Math.sqrt(Math.PI / 2)) / 6;
  const blocks = used.map((block) => ({
    sigma: (scale * responses[block]!) / (1 - 0.84 * pure[block]!),
    level: levels[block]!,
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

/** Mean absolute responses to Immerkær's mask, by blocks; blocks that are not whole are no edge. */
function responsesTo(planes: Planes): Float64Array {
  const { height, width, values } = planes;
  const [lastRow, lastColumn] = [(height & ~7) - 1, (width & ~7) - 1];
  const second = (row: number, x: number) =>
    values[row + Math.max(0, x - 1)]! - 2 * values[row + x]! + values[row + Math.min(lastColumn, x + 1)]!;
  return blockSums(planes, (_, index) => {
    const x = index % width;
    const y = ((index - x) / width) % height;
    const row = index - x;
    const [up, down] = [y > 0 ? row - width : row, y < lastRow ? row + width : row];
    return Math.abs(second(up, x) - 2 * second(row, x) + second(down, x));
  }).map((sum) => sum / 64);
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
