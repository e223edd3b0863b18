/** What a picture looks like before it is touched: kerasgan/restore/inspection.py over again. */
import { findImpulses, type Impulses, isSaltAndPepper, objectionTo, percent, sample, verdictOf } from "./impulses";
import { LOOKS, type Measures, measure, unevenness, weigh } from "./looks";
import type { Pixels } from "./pixels";

/** What a picture looks like; "impulses" are those that are not pure black and white. */
export type Look = (typeof LOOKS)[number] | "unknown";

export interface Inspection {
  look: Look;
  impulses: Impulses;
  /** Estimated standard deviation of other noise where it is least, in 8-bit levels. */
  sigma: number;
  /** Share of values that equal their neighbour to the right. */
  flat: number;
}

const FEWEST = 64;
const SURE = 1.5;
const [FEW, SURE_OF_FEW] = [2 ** 14, 2];
// Pictures of so many pure values, such as halftones, have no grain.
const ALL_PURE = 0.98;
const UNEVEN = 0.95;
const GRAIN: readonly Look[] = ["gaussian", "signal-dependent"];
// What pictures look like with the noise that a model may remove.
const FITTING: Record<string, readonly Look[]> = {
  "salt-and-pepper": ["salt-and-pepper"],
  "random-impulses": ["impulses"],
  "resaved-impulses": ["impulses", "gaussian", "signal-dependent"],
  "stray-impulses": ["impulses", "gaussian", "signal-dependent"],
  gaussian: ["gaussian", "signal-dependent"],
  speckle: ["gaussian", "signal-dependent"],
  sensor: ["gaussian", "signal-dependent", "clean"],
  camera: ["gaussian", "signal-dependent", "clean"],
};

// Models of these kinds change what is drawn.
const STRAY: ReadonlySet<string> = new Set(["random-impulses", "resaved-impulses", "stray-impulses"]);
const [PURE, FLAT, KNOWN] = [0.3, 0.7, 0.6];
const PURE_OF_ALL = 0.04;

/** Looks at a picture; takes milliseconds, however large it is. */
export function inspect(pixels: Pixels): Inspection {
  const planes = sample(pixels);
  const impulses = findImpulses(planes);
  const measures = measure(planes);
  const { sigma, flat } = measures ?? { sigma: 0, flat: 0 };
  const [likeliest, next] = looksOf(impulses, measures, pixels.data.length);
  const found = { look: likeliest!, impulses, sigma, flat };
  // What is drawn anyway is left alone, whatever strikes it; other letters stand out in rows, which
  // impulses know nothing of.
  const isUneven = likeliest === "impulses" && !isDrawn(found) && unevenness(planes) > UNEVEN;
  return isUneven ? { ...found, look: next! } : found;
}

/** Whether it is pure black or white, or flat, by itself, as pages, screens and drawings. */
function isDrawn({ impulses: { share, black, white }, flat }: Inspection): boolean {
  if (black + white - share > Math.max(PURE * (1 - share), PURE_OF_ALL)) return true;
  // Impulses beside each other are equal by chance.
  const equal = share ? (share ** 2 * (black ** 2 + white ** 2)) / Math.max(black + white, share) ** 2 : 0;
  return share < KNOWN && flat - equal > FLAT * (1 - share) ** 2;
}

/** What there is to say of a picture, for people. */
export function sentenceOf({ look, impulses, sigma }: Inspection): string {
  const told = (how: string) => (sigma >= 0.5 ? `, sigma ${how} ${sigma.toFixed(0)}` : "");
  switch (look) {
    case "clean":
      return "no noise is seen";
    case "impulses":
      return (
        "looks like impulses that are not pure black and white, as JPEG and resizing leave them" +
        (impulses.others ? `, at least ${percent(impulses.others, 1)}` : "")
      );
    case "gaussian":
      return `looks like Gaussian noise${told("about")}`;
    case "signal-dependent":
      return `looks like noise that grows with brightness${told("at least")}`;
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
  if (FITTING[noise]?.includes(look) === false) {
    const told = look === "clean" || look === "unknown";
    return sentenceOf(inspection) + (told ? "" : ", which this model does not remove");
  }
  if (STRAY.has(noise) && !knowsPages && isDrawn(inspection)) {
    return `${sentenceOf(inspection)}, but restoring would change what was drawn, too`;
  }
  return noise === "salt-and-pepper" ? objectionTo(impulses, knowsPages) : undefined;
}

/** What it may look like, the likeliest first. */
function looksOf(impulses: Impulses, measures: Measures | undefined, size: number): Look[] {
  if (isSaltAndPepper(impulses)) return ["salt-and-pepper"];
  if (size < FEWEST || !measures) return ["unknown"];
  const logits = weigh(measures, impulses);
  if (impulses.share) {
    // Of a page, too, dense noise leaves black and white alone.
    const salted = logits.indexOf(Math.max(...logits)) === LOOKS.indexOf("salt-and-pepper");
    return [salted ? "salt-and-pepper" : "unknown"];
  }
  logits[LOOKS.indexOf("clean")]! += size >= FEW ? SURE : SURE_OF_FEW;
  const excluded: Look[] = ["salt-and-pepper"];
  // Grain would have made greys of black and white.
  if (impulses.black + impulses.white > ALL_PURE) excluded.push(...GRAIN);
  const byLogit = LOOKS.map((look, i) => ({ look, logit: logits[i]! })).sort((one, other) => other.logit - one.logit);
  return byLogit.map(({ look }) => look).filter((look) => !excluded.includes(look));
}
