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

/** The smallest size that holds the picture, else the largest. */
export function windowFor(
  height: number,
  width: number,
  { signatures, multiple, overlap }: Pick<Manifest, "signatures" | "multiple" | "overlap">,
): Window {
  const byArea = Object.entries(signatures).sort(([, one], [, other]) => one[0] * one[1] - other[0] * other[1]);
  const found = byArea.find(([, [h, w]]) => height <= h && width <= w) ?? byArea[byArea.length - 1];
  if (!found) throw new Error("a model takes at least one size");
  const [signature, size] = found;
  const told = overlap?.[signature];
  const margin = told === undefined ? usualMargin(Math.min(...size), multiple) : told / 2;
  return { signature, height: size[0], width: size[1], margin, multiple };
}

/** An eighth of a window, as far as it leaves anything of it: for bundles that do not tell. */
function usualMargin(extent: number, multiple: number): number {
  const wanted = Math.ceil(extent / (8 * multiple)) * multiple;
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
