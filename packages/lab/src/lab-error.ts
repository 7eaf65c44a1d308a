/** What a user did or lacks, in one clear line: printed without a stack trace, exit code 1. */
export class LabError extends Error {
  override readonly name = 'LabError';
}

/** Takes the lines that tell what the lab is doing; one call a line, without a line end. */
export type Progress = (line: string) => void;

/** The message of whatever was thrown, in one line. */
export function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n')[0] ?? message;
}
