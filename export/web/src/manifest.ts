import { Failure } from "./failure";

/** How a tensor's numbers stand for values: value = scale · (number - zero_point); scale 0 for floats. */
export interface Quantization {
  dtype: string;
  scale: number;
  zero_point: number;
}

export interface ModelFile {
  file: string;
  bytes: number;
  sha256: string;
  input: Quantization;
  output: Quantization;
}

/** What the page reads of the manifest.json that `kerasgan export` writes. */
export interface Manifest {
  version: 1;
  signatures: Record<string, [number, number]>;
  channels: 1 | 3;
  multiple: number;
  /** How far the network looks, in pixels. */
  reach?: number | null;
  /** By how many pixels windows overlap, for each signature; older bundles do not tell. */
  overlap?: Record<string, number>;
  files: Record<string, ModelFile>;
  subject?: string | null;
  noise?: { kind: string };
  training: {
    config: { noise?: { kind?: string }; data?: { pages?: number }; generator?: { gated?: boolean } };
  } | null;
}

export const SALT_AND_PEPPER = "salt-and-pepper";
const TYPES = ["float32", "uint8"];
const MODELS = "kerasgan-models";

/** A bundle beside the page: its folder, what it is called, and what its manifest tells. */
export interface Bundle {
  folder: string;
  title: string;
  manifest: Manifest;
}

/** Reads the manifests of all bundles that the page comes with. */
export async function readBundles(): Promise<Bundle[]> {
  const listed = await readJson<Omit<Bundle, "manifest">[]>("bundles.json");
  return Promise.all(
    listed.map(async ({ folder, title }) => {
      const manifest = await readJson<Manifest>(`${folder}/manifest.json`);
      if (manifest.version !== 1) {
        throw new Failure(`The model's manifest.json is of version ${manifest.version}; this page reads 1.`);
      }
      return { folder, title, manifest };
    }),
  );
}

async function readJson<T>(address: string): Promise<T> {
  try {
    const response = await fetch(address);
    if (!response.ok) throw new Error(String(response.status));
    return (await response.json()) as T;
  } catch {
    throw new Failure(`No model stands beside this page: its ${address} is missing or damaged.`);
  }
}

/** The kind of noise that a model removes; until there was another one, none was named. */
export function removedNoise({ noise, training }: Manifest): string {
  return noise?.kind ?? training?.config.noise?.kind ?? SALT_AND_PEPPER;
}

/** Whether a model learnt from pages, too, and leaves alone what it takes for no noise. */
export function knowsPages({ training }: Manifest): boolean {
  return (training?.config.data?.pages ?? 0) > 0 && (training?.config.generator?.gated ?? false);
}

/** The files that LiteRT.js can run, the smallest first; it refuses signed bytes. */
export function runnable(manifest: Manifest): [string, ModelFile][] {
  const found = Object.entries(manifest.files).filter(
    ([, { input, output }]) => TYPES.includes(input.dtype) && TYPES.includes(output.dtype),
  );
  if (found.length === 0) {
    throw new Failure("This model takes int8 numbers, which browsers cannot run; export it with --io uint8.");
  }
  return found.sort(([, one], [, other]) => one.bytes - other.bytes);
}

/** Fetches a model, or takes it from where it was kept; only if it is the one that the manifest lists. */
export async function loadModel(folder: string, entry: ModelFile): Promise<Uint8Array<ArrayBuffer>> {
  // The hash makes it another address when the file changes, whatever a server lets a browser keep.
  const address = `${folder}/${entry.file}?${entry.sha256.slice(0, 16)}`;
  const cache = await openModels();
  const kept = await cache?.match(address);
  const response = kept ?? (await fetch(address).catch(() => undefined));
  if (!response?.ok) throw new Failure(`Cannot load ${entry.file}: connect to the network once, and try again.`);
  const content = await response.clone().arrayBuffer();
  if (await differs(content, entry.sha256)) {
    await cache?.delete(address);
    throw new Failure(`${entry.file} is not the file that manifest.json lists: the hashes differ. Export it again.`);
  }
  // A full disk is no reason not to restore.
  if (!kept) await cache?.put(address, response).catch(() => undefined);
  return new Uint8Array(content);
}

/** Forgets models of this page that no manifest lists any more; other pages of the server have their own. */
export async function forgetOthers(bundles: Bundle[]): Promise<void> {
  const cache = await openModels();
  const entries = bundles.flatMap(({ manifest }) => Object.values(manifest.files));
  const hashes = entries.map((entry) => entry.sha256.slice(0, 16));
  const here = new URL("./", location.href).href;
  for (const request of (await cache?.keys()) ?? []) {
    const isListed = hashes.includes(new URL(request.url).search.slice(1));
    // A model lies in its bundle's folder, and that in the page's.
    const isOurs = new URL("../", request.url).href === here;
    if (isOurs && !isListed) await cache?.delete(request);
  }
}

async function differs(content: ArrayBuffer, sha256: string): Promise<boolean> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("") !== sha256;
}

/** Browsers have no caches in private windows, some of them. */
async function openModels(): Promise<Cache | undefined> {
  return caches.open(MODELS).catch(() => undefined);
}
