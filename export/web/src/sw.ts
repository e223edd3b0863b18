/**
 * Keeps the page for use without a network.
 *
 * The build puts in the files of the page and a version made of their content; what another version
 * kept is deleted. Models are kept by the page itself, by their hash.
 */
declare const __FILES__: string[];
declare const __VERSION__: string;

interface ExtendableEvent extends Event {
  waitUntil(promise: Promise<unknown>): void;
}
interface FetchEvent extends ExtendableEvent {
  request: Request;
  respondWith(response: Promise<Response>): void;
}

const worker = self as unknown as {
  addEventListener(kind: "install" | "activate", listener: (event: ExtendableEvent) => void): void;
  addEventListener(kind: "fetch", listener: (event: FetchEvent) => void): void;
  skipWaiting(): Promise<void>;
  clients: { claim(): Promise<void> };
};
// By the folder, too: a server may hold several pages.
const SHELL = `kerasgan-page-${new URL("./", location.href).pathname}-`;
const NAME = SHELL + __VERSION__;
const LIST = "bundles.json";
const TOLD = /\/(bundles|manifest)\.json$/;

worker.addEventListener("install", (event) => {
  event.waitUntil(
    caches.open(NAME).then(async (cache) => {
      const bundles = (await (await fetch(LIST)).json()) as { folder: string }[];
      const manifests = bundles.map(({ folder }) => `${folder}/manifest.json`);
      await cache.addAll(["./", ...__FILES__, LIST, ...manifests]);
      await worker.skipWaiting();
    }),
  );
});

worker.addEventListener("activate", (event) => {
  event.waitUntil(
    caches.keys().then(async (names) => {
      const old = names.filter((name) => name.startsWith(SHELL) && name !== NAME);
      await Promise.all(old.map((name) => caches.delete(name)));
      await worker.clients.claim();
    }),
  );
});

worker.addEventListener("fetch", (event) => {
  if (event.request.method !== "GET" || new URL(event.request.url).origin !== location.origin) return;
  event.respondWith(TOLD.test(event.request.url) ? newest(event.request) : kept(event.request));
});

/** A bundle may be exported again at any time: the network comes first. */
async function newest(request: Request): Promise<Response> {
  const cache = await caches.open(NAME);
  try {
    const response = await fetch(request);
    if (response.ok) await cache.put(request, response.clone());
    return response;
  } catch (error) {
    const response = await cache.match(request);
    if (!response) throw error;
    return response;
  }
}

async function kept(request: Request): Promise<Response> {
  const cache = await caches.open(NAME);
  return (await cache.match(request)) ?? fetch(request);
}
