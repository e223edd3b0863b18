import { Failure } from "./failure";
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

interface Waiting {
  resolve: (result: never) => void;
  reject: (error: Error) => void;
  onProgress: (done: number) => void;
}

/** The page's side of the worker. */
export class Restorer {
  private readonly worker = new Worker(new URL("./worker.ts", import.meta.url));
  private readonly waiting = new Map<number, Waiting>();
  private count = 0;

  constructor() {
    this.worker.onmessage = ({ data }: MessageEvent<Reply>) => {
      const waiting = this.waiting.get(data.id);
      if (data.kind === "progress") return waiting?.onProgress(data.done);
      this.waiting.delete(data.id);
      if (data.kind === "done") waiting?.resolve(data.result as never);
      else waiting?.reject(new Failure(data.message));
    };
    // What the worker could not even catch: its file is missing, or memory ran out.
    this.worker.onerror = (event) => {
      for (const { reject } of this.waiting.values()) reject(new Error(event.message || "the worker ended"));
      this.waiting.clear();
    };
  }

  load(request: Omit<LoadRequest, "kind">): Promise<Loaded> {
    return this.ask({ kind: "load", ...request });
  }

  /** Gives undefined if it was cancelled, or something else began. */
  inspect(request: Omit<InspectRequest, "kind">): Promise<Inspected | undefined> {
    return this.ask({ kind: "inspect", ...request });
  }

  /** Gives undefined if it was cancelled, or something else began. */
  restore(
    request: Omit<RestoreRequest, "kind">,
    onProgress: (done: number) => void = () => undefined,
  ): Promise<Restored | undefined> {
    return this.ask({ kind: "restore", ...request }, onProgress);
  }

  cancel(): void {
    this.post({ kind: "cancel" });
  }

  private ask<T>(
    request: LoadRequest | InspectRequest | RestoreRequest,
    onProgress: (done: number) => void = () => undefined,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      this.waiting.set(this.post(request), { resolve, reject, onProgress });
    });
  }

  private post(request: LoadRequest | InspectRequest | RestoreRequest | { kind: "cancel" }): number {
    const id = ++this.count;
    this.worker.postMessage({ id, ...request } satisfies Request);
    return id;
  }
}
