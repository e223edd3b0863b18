/**
 * Cutting a picture into overlapping windows, exactly as kerasgan does: a network that sees the same
 * windows gives the same pixels.
 */

/** What a model restores at once, and how wide a border of it is left out where the picture goes on. */
export interface Window {
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

/** The smallest size that holds the picture, else the largest. */
export function windowFor(
  height: number,
  width: number,
  sizes: readonly (readonly [number, number])[],
  multiple: number,
): Window {
  const byArea = [...sizes].sort((one, other) => one[0] * one[1] - other[0] * other[1]);
  const size = byArea.find(([h, w]) => height <= h && width <= w) ?? byArea[byArea.length - 1];
  if (!size) throw new Error("a model takes at least one size");
  const extent = Math.min(...size);
  const wanted = Math.ceil(extent / (8 * multiple)) * multiple;
  const possible = Math.floor((extent - multiple) / (2 * multiple)) * multiple;
  const largest = Math.max(1, Math.floor(LARGEST_MARGIN / multiple)) * multiple;
  return { height: size[0], width: size[1], margin: Math.min(wanted, possible, largest), multiple };
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
