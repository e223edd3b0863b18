import { Failure } from "./failure";
import { contextOf } from "./picture";
import { fromImageData, greyOf, type Pixels } from "./pixels";

/** The middle of what a camera sees, in the size that a model takes at once. */
export class Camera {
  private constructor(
    private readonly video: HTMLVideoElement,
    private readonly stream: MediaStream,
    private readonly canvas: OffscreenCanvas,
  ) {}

  static async open([height, width]: [number, number]): Promise<Camera> {
    if (!navigator.mediaDevices) throw new Failure("This browser gives pages no camera.");
    let stream: MediaStream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    } catch (error) {
      throw new Failure(reasonOf(error));
    }
    const video = document.createElement("video");
    video.muted = video.playsInline = true;
    video.srcObject = stream;
    const camera = new Camera(video, stream, new OffscreenCanvas(width, height));
    try {
      await video.play();
    } catch (error) {
      camera.close();
      throw error;
    }
    return camera;
  }

  /** What it sees now, in grey or colour. */
  frame(color: boolean): Pixels {
    const { width, height } = this.canvas;
    const { videoWidth, videoHeight } = this.video;
    const scale = Math.max(width / videoWidth, height / videoHeight);
    const [cutWidth, cutHeight] = [width / scale, height / scale];
    const context = contextOf(this.canvas);
    context.drawImage(
      this.video,
      (videoWidth - cutWidth) / 2,
      (videoHeight - cutHeight) / 2,
      cutWidth,
      cutHeight,
      0,
      0,
      width,
      height,
    );
    const pixels = fromImageData(context.getImageData(0, 0, width, height));
    return color ? pixels : greyOf(pixels);
  }

  close(): void {
    for (const track of this.stream.getTracks()) track.stop();
  }
}

function reasonOf(error: unknown): string {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError") return "The camera was refused: allow it in the browser's settings of this page.";
  if (name === "NotFoundError") return "There is no camera on this device.";
  if (name === "NotReadableError") return "The camera is in use by another program.";
  return `The camera does not start: ${String(error)}`;
}
