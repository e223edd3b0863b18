/**
 * Cutting a picture into overlapping windows, exactly as kerasgan does: a network that sees the same
 * windows gives the same pixels.
 */

import type { Manifest } from "./manifest";

/** What a model restores at once, and how wide a border of it is left out where the picture goes on. */
export interface Window {
  signature: string;
  height: number;
  width: number;
  margin: number;
  multiple: number;
}

/** A window along one axis: from where to where it lies, and which part of the picture it decides. */
export interface Tile {
  start: number;
  end: number;
  keptStart: number;
  keptEnd: number;
}

const LARGEST_MARGIN = 64;

/** What a model restores at once, and how it may be cut. */
type Cut = Pick<Manifest, "signatures" | "multiple" | "reach" | "overlap">;

/** Of the sizes that hold the picture, and those of the widest margin, that of the fewest pixels. */
export function windowFor(height: number, width: number, cut: Cut): Window {
  const { signatures, multiple, overlap } = cut;
  const windows = Object.entries(signatures).map(([signature, size]) => {
    const told = overlap?.[signature];
    const margin = told === undefined ? usualMargin(Math.min(...size), cut) : told / 2;
    return { signature, height: size[0], width: size[1], margin, multiple };
  });
  const widest = Math.max(...windows.map(({ margin }) => margin));
  const unseen = (window: Window) => (count(height, width, window) === 1 ? 0 : widest - window.margin);
  const work = (window: Window) => count(height, width, window) * window.height * window.width;
  const [best] = windows.sort((one, other) => unseen(one) - unseen(other) || work(one) - work(other));
  if (!best) throw new Error("a model takes at least one size");
  return best;
}

/** How many windows cover a picture. */
function count(height: number, width: number, window: Window): number {
  const own = 2 * window.margin;
  const down = Math.max(1, Math.ceil((height - own) / (window.height - own)));
  return down * Math.max(1, Math.ceil((width - own) / (window.width - own)));
}

/** A third of the network's reach, or an eighth of the window if that is less: for bundles that do not tell. */
function usualMargin(extent: number, { multiple, reach }: Cut): number {
  const seen = reach == null ? LARGEST_MARGIN : Math.max(1, Math.floor((2 * reach + 3 * multiple) / (6 * multiple))) * multiple;
  const wanted = Math.min(Math.ceil(extent / (8 * multiple)), Math.ceil(seen / multiple)) * multiple;
  const possible = Math.floor((extent - multiple) / (2 * multiple)) * multiple;
  const largest = Math.max(1, Math.floor(LARGEST_MARGIN / multiple)) * multiple;
  return Math.min(wanted, possible, largest);
}

/** Covers an extent with windows, which begin at multiples of the network's stride. */
export function tiles(extent: number, window: number, margin: number, multiple: number): Tile[] {
  const latest = Math.max(0, Math.ceil((extent - window) / multiple) * multiple);
  const found: Tile[] = [];
  for (let kept = 0, start = 0; kept < extent; ) {
    start = Math.min(start, latest);
    const end = Math.min(start + window, extent);
    const last = end === extent ? end : end - margin;
    found.push({ start, end, keptStart: kept, keptEnd: last });
    kept = last;
    start = last - margin;
  }
  return found;
}

/** Where a position beyond the end lies when the picture is mirrored there, its last value twice. */
export function mirrored(position: number, extent: number): number {
  const folded = position % (2 * extent);
  return folded < extent ? folded : 2 * extent - 1 - folded;
}
