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

export interface InspectRequest {
  kind: "inspect";
  noisy: Pixels;
  /** The kind that the model removes. */
  noise: string;
  knowsPages: boolean;
}

export interface RestoreRequest {
  kind: "restore";
  noisy: Pixels;
  /** What the result is compared with, where it is known. */
  clean: Pixels | undefined;
}

/** What the page asks of its worker; a restoring ends early when anything else comes. */
export type Request = { id: number } & (LoadRequest | InspectRequest | RestoreRequest | { kind: "cancel" });

/** What a load tells: which accelerator it is in the end, and why if it is another one. */
export interface Loaded {
  accelerator: Accelerator;
  note: string;
}

/** What a picture looks like, and why it had better be left alone, if it had. */
export interface Inspected {
  sentence: string;
  objection: string | undefined;
}

export interface Restored {
  restored: Pixels;
  milliseconds: number;
  before: Quality | undefined;
  after: Quality | undefined;
}

export type Reply =
  | { id: number; kind: "progress"; done: number }
  | { id: number; kind: "done"; result: Loaded | Inspected | Restored | undefined }
  | { id: number; kind: "failed"; message: string };
