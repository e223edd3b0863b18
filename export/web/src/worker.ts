/** Restores pictures away from the page, which stays free to scroll and to cancel. */
import { messageOf } from "./failure";
import { inspect, objection, sentenceOf } from "./inspection";
import { type Accelerator, Model, startRuntime } from "./model";
import type { Pixels } from "./pixels";
import type {
  Inspected,
  InspectRequest,
  Loaded,
  LoadRequest,
  Reply,
  Request,
  Restored,
  RestoreRequest,
} from "./protocol";
import { quality } from "./quality";

const runtime = startRuntime(new URL("../litert/", self.location.href).href);
// It is awaited by the first load, which tells what is wrong.
runtime.catch(() => undefined);
let model: Model | undefined;
// The newest request, for which a restoring that is under way makes room, and the end of what is under way.
let newest = 0;
let idle = Promise.resolve();

self.onmessage = ({ data }: MessageEvent<Request>) => {
  newest = data.id;
  idle = idle.then(() => handle(data));
};

async function handle(request: Request): Promise<void> {
  const { id } = request;
  try {
    if (request.kind === "load") answer({ id, kind: "done", result: await load(request) });
    if (request.kind === "inspect") answer({ id, kind: "done", result: look(id, request) });
    if (request.kind === "restore") answer({ id, kind: "done", result: await restore(id, request) });
  } catch (error) {
    answer({ id, kind: "failed", message: messageOf(error) });
  }
}

function answer(reply: Reply): void {
  self.postMessage(reply);
}

async function load({ content, manifest, file, accelerator }: LoadRequest): Promise<Loaded> {
  await runtime;
  model?.delete();
  model = undefined;
  const fallback = async (note: string) => {
    model = await Model.load(content, manifest, file, "wasm");
    return { accelerator: "wasm" as const, note };
  };
  if (accelerator === "wasm") return fallback("");
  if (!(await hasGpu())) return fallback("This browser offers no WebGPU here; WebAssembly does the work.");
  const onGpu = await Model.load(content, manifest, file, accelerator).catch(() => undefined);
  if (!onGpu) return fallback("This model does not run on WebGPU here; WebAssembly does the work.");
  const onCpu = await Model.load(content, manifest, file, "wasm");
  const agree = onGpu.isFullyAccelerated && (await agreement(onGpu, onCpu, manifest.signatures["denoise"]!));
  model = agree ? onGpu : onCpu;
  (agree ? onCpu : onGpu).delete();
  const note = "WebGPU restores this model differently here; WebAssembly does the work.";
  return agree ? { accelerator: "webgpu" as Accelerator, note: "" } : { accelerator: "wasm", note };
}

async function hasGpu(): Promise<boolean> {
  const gpu = (navigator as { gpu?: { requestAdapter(): Promise<unknown> } }).gpu;
  return Boolean(await gpu?.requestAdapter().catch(() => null));
}

/** Whether two models restore a noisy ramp alike, to 2 of 255: drivers compute in 16 bits, or wrongly. */
async function agreement(one: Model, other: Model, [height, width]: [number, number]): Promise<boolean> {
  const data = Uint8Array.from({ length: height * width }, (_, i) => (i % 3 ? (i % width) % 256 : (i % 2) * 255));
  const ramp: Pixels = { height, width, channels: 1, data };
  const none = async () => undefined;
  try {
    const [first, second] = [await one.restore(ramp, none), await other.restore(ramp, none)];
    return first.data.every((value, i) => Math.abs(value - second.data[i]!) <= 2);
  } catch {
    return false;
  }
}

function look(id: number, { noisy, noise, knowsPages }: InspectRequest): Inspected | undefined {
  if (newest !== id) return undefined;
  const found = inspect(noisy);
  return { sentence: sentenceOf(found), objection: objection(found, noise, knowsPages) };
}

async function restore(id: number, { noisy, clean }: RestoreRequest): Promise<Restored | undefined> {
  if (!model) throw new Error("no model is loaded");
  if (newest !== id) return undefined;
  const cancelled = new Error("cancelled");
  const started = performance.now();
  try {
    const restored = await model.restore(noisy, async (done) => {
      answer({ id, kind: "progress", done });
      await messagesTaken();
      if (newest !== id) throw cancelled;
    });
    const milliseconds = performance.now() - started;
    const before = clean && quality(clean, noisy);
    const after = clean && quality(clean, restored);
    return { restored, milliseconds, before, after };
  } catch (error) {
    if (error !== cancelled) throw error;
    return undefined;
  }
}

/** Lets messages in that came meanwhile; a timer would wait for milliseconds. */
function messagesTaken(): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
