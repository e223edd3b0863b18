import type { Pixels } from "./pixels";

/** Mulberry32, by Tommy Ettinger: small, and the same on every device. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Replaces a share of the pixels by black or white, in equal parts; all channels of a pixel together. */
export function saltAndPepper(clean: Pixels, amount: number, seed: number): Pixels {
  const next = random(seed);
  const data = clean.data.slice();
  for (let i = 0; i < data.length; i += clean.channels) {
    if (next() < amount) data.fill(next() < 0.5 ? 0 : 255, i, i + clean.channels);
  }
  return { ...clean, data };
}
