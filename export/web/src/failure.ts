/** Something that a person can act on: its message is shown as it is. */
export class Failure extends Error {}

/** What to show of anything that was thrown. */
export function messageOf(error: unknown): string {
  if (error instanceof Failure) return error.message;
  return `Something went wrong: ${error instanceof Error ? error.message : String(error)}`;
}
