import type { LogSegment } from '../log-segment.ts';

/** The log was truncated, deleted or closed while it was being cleaned (`LogCleaningAbortedException`). */
export class CleaningAbortedError extends Error {
  override readonly name = 'CleaningAbortedError';
}

/**
 * One cleaning that goes on. Whoever is about to truncate, delete or close the log aborts it first; the files it was
 * writing are gone at once, and the cleaner finds out on its next turn.
 */
export class CleaningTask {
  private aborted = false;
  private writing: LogSegment | null = null;

  get isAborted(): boolean {
    return this.aborted;
  }

  /** Notes the `.cleaned` segment that is being written. */
  writes(segment: LogSegment): void {
    this.writing = segment;
  }

  /** The segment has become a part of the log. */
  wrote(): void {
    this.writing = null;
  }

  abort(): void {
    this.aborted = true;
    this.discard();
  }

  /** Removes what was written and is not part of the log. */
  discard(): void {
    const segment = this.writing;
    this.writing = null;
    segment?.deleteIfExists();
  }

  /** @throws CleaningAbortedError after `abort` */
  check(): void {
    if (this.aborted) throw new CleaningAbortedError('The cleaning was aborted.');
  }
}
