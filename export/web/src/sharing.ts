/** Hands a picture to the browser's downloads. */
export function save(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // Browsers read it after this function has returned.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

export function canShare(): boolean {
  const probe = new File([], "picture.png", { type: "image/png" });
  return Boolean(navigator.canShare?.({ files: [probe] }));
}

export async function share(blob: Blob, name: string): Promise<void> {
  try {
    await navigator.share({ files: [new File([blob], name, { type: "image/png" })] });
  } catch (error) {
    // Whoever closes the dialog has changed their mind.
    if (!(error instanceof DOMException && error.name === "AbortError")) throw error;
  }
}
