import type { Manifest, ModelFile } from "./manifest";
import type { Accelerator } from "./model";
import type { Pixels } from "./pixels";
import type { Quality } from "./quality";

export interface LoadRequest {
  kind: "load";
  content: Uint8Array<ArrayBuffer>;
  manifest: Manifest;
  file: ModelFile;
  accelerator: Accelerator;
}

export interface RestoreRequest {
  kind: "restore";
  noisy: Pixels;
  /** What the result is compared with, where it is known. */
  clean: Pixels | undefined;
}

/** What the page asks of its worker; a restoring ends early when another begins or "cancel" comes. */
export type Request = { id: number } & (LoadRequest | RestoreRequest | { kind: "cancel" });

/** What a load tells: which accelerator it is in the end, and why if it is another one. */
export interface Loaded {
  accelerator: Accelerator;
  note: string;
}

export interface Restored {
  restored: Pixels;
  milliseconds: number;
  before: Quality | undefined;
  after: Quality | undefined;
}

export type Reply =
  | { id: number; kind: "progress"; done: number }
  | { id: number; kind: "done"; result: Loaded | Restored | undefined }
  | { id: number; kind: "failed"; message: string };
